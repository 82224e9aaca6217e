-- Note the Checkout Session that Stripe made for an order, so that the order is open for payment.
--
-- KEYS  as in books.lua
-- ASK   order, session, url, ending (why it is ended at once; empty: it is to be paid)
-- ANSWER attached | already | too_late STATE: the order went on without it, so the session must be
--       ended; that is due at once (job stray:ORDER:SESSION) | unknown_order: Redis has lost it
-- E.g.  a pending order: attached; state open, due: expire at the hold's deadline
local order = redis.call('HMGET', ORDER, 'state', 'session')
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
set_state('open')
return answer('attached')
