-- Note the Checkout Session that Stripe made for an order, so that the order is open for payment.
--
-- KEYS  as in books.lua
-- ASK   order, version (of the creation's idempotency key), session, url
-- ANSWER attached | already | too_late STATE: the order went on without it, so the session must be
--       ended; that is due at once (job stray:ORDER:SESSION)
-- E.g.  a pending order: attached; state open, due: expire at the hold's deadline
local order = redis.call('HMGET', ORDER, 'state', 'session', 'session_version', 'sessions')
assert(order[1], 'no such order')
if order[2] == ask.session then return answer('already') end
local sessions = cjson.decode(order[4] or '[]')
local known = false
for _, session in ipairs(sessions) do known = known or session == ask.session end
if not known then
  sessions[#sessions + 1] = ask.session
  redis.call('HSET', ORDER, 'sessions', cjson.encode(sessions))
end
if order[1] ~= 'pending' or tonumber(order[3]) ~= ask.version then
  if not known then schedule('stray:' .. ask.order .. ':' .. ask.session, now) end
  return answer('too_late', order[1])
end
redis.call('HSET', ORDER, 'session', ask.session, 'url', ask.url)
redis.call('HSET', HOLD, 'session', ask.session)
redis.call('ZREM', DUE, 'ask:' .. ask.order)
set_state('open')
return answer('attached')
