-- Note the Checkout Session that Stripe made for an order, so that the order is open for payment.
--
-- KEYS  as in books.lua
-- ASK   order, session, url, ending (why it is ended at once; empty: it is to be paid)
-- ANSWER attached | already | too_late STATE: the order went on without it, so the session must be
--       ended; that is due at once (job stray:ORDER:SESSION) | unknown_order: Redis has lost it
-- E.g.  a pending order: attached; state open, due: expire at the hold's deadline; when it was asked for
--       under more than one number, look:ORDER too: Stripe may have made one for each
local LOOK_MS = 60000
local order = redis.call('HMGET', ORDER, 'state', 'session', 'session_version')
if not order[1] then return answer('unknown_order') end
if order[2] == ask.session then return answer('already') end
if (order[1] ~= 'pending' and order[1] ~= 'offered') or order[2] then
  if note_session(ask.session) then schedule('stray:' .. ask.order .. ':' .. ask.session, now) end
  return answer('too_late', order[1])
end
note_session(ask.session)
redis.call('HSET', ORDER, 'url', ask.url)
redis.call('HSET', HOLD, 'session', ask.session)
if ask.ending ~= '' then redis.call('HSET', ORDER, 'ending', ask.ending) end
-- An offer that was taken before Redis was restarted and lost that.
if order[1] == 'offered' then redis.call('HSET', ORDER, 'session_version', '1', 'taken', int(now)) end
redis.call('ZREM', DUE, 'ask:' .. ask.order)
if tonumber(order[3]) > 1 then schedule('look:' .. ask.order, now + LOOK_MS) end
set_state('open')
return answer('attached')
