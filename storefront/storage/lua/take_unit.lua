-- Make the order of a session that was completed through a payment link, with a unit of its allotment.
--
-- What the payment is worth is settled after, as for any order. One for which the allotment has no
-- unit any more begins as released: the goods if they are still there, else the money back.
-- KEYS  as in books.lua, with link:ID (hash) in the place of seen:EVENT
-- ASK   order, link, session, lines [{sku, quantity, unit_amount, name, slug, image}] (one),
--       basket, currency, amount (minor units), expires_at (seconds), email, ask_ms (after so long
--       Stripe is asked, should nobody have settled it), in_turn (as in books.lua)
-- ANSWER taken | short (nothing left of the allotment, or no such link here) | already STATE
--       | later (no such link here while the books may not be whole)
-- TTL   hold:ID has none: it stands until Stripe says how the payment ended
-- E.g.  the last unit of a link: taken; left 0, state processing, the link is to end; due: ask,
--       unlink:ID
if redis.call('HEXISTS', ORDER, 'state') == 1 then return answer('already', redis.call('HGET', ORDER, 'state')) end
local LINK, line = SEEN, ask.lines[1]
assert(#ask.lines == 1 and line.quantity > 0 and line.quantity % 1 == 0, 'one line with a whole number above 0')
local link = redis.call('HMGET', LINK, 'sku', 'left', 'state')
if not link[1] and not ask.in_turn and door_stands(DOOR, STOCKED) ~= 'open' then return answer('later') end
local left = (link[1] == line.sku and tonumber(link[2]) or 0) - line.quantity
assert(left < 0 or units(HELD, line.sku) >= line.quantity, 'the books disagree: the link holds nothing')
redis.call('HSET', ORDER, 'id', ask.order, 'created', int(now), 'lines', cjson.encode(ask.lines),
  'basket', ask.basket, 'form', 'hosted', 'currency', ask.currency, 'amount', int(ask.amount), 'visitor', '',
  'deadline', int(now), 'expires_at', int(ask.expires_at), 'session_version', '1')
redis.call('ZADD', ORDERS, int(now), ask.order)
note_session(ask.session)
keep_email()
schedule('ask:' .. ask.order, now + ask.ask_ms)
if left < 0 then
  set_state('released', 'sold_out')
  return answer('short')
end
local allotment = 'link:' .. ask.link
redis.call('HSET', LINK, 'left', int(left))
redis.call('HDEL', UNITS, allotment)
if left > 0 then redis.call('HSET', UNITS, allotment, 'held ' .. line.sku .. '=' .. int(left)) end
redis.call('HSET', HOLD, 'basket', ask.basket, 'visitor', '', 'deadline', int(now), 'session', ask.session)
redis.call('ZADD', HOLDS, int(now), ask.order)
move_order(ask.lines, ask.basket, 'held', 'held', 'take', allotment)
set_state('processing')
if left == 0 and link[3] == 'open' then
  redis.call('HSET', LINK, 'state', 'closing', 'why', 'sold_out')
  schedule('unlink:' .. ask.link, now)
end
return answer('taken')
