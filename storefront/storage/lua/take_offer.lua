-- Make of an offer a hold that its shopper pays for, with the time that every shopper has.
--
-- It counts for no limit on holds, and no other basket ends it: the shopper waited for it.
-- KEYS  as in books.lua
-- ASK   order, form (hosted, elements), terms (see books.lua), hold_ms, grace_ms, session_seconds, ask_ms
-- ANSWER taken | already STATE | late (its time is over: it goes to the next in line) | unknown_order
--       | closed WHY (restarted, rebuild, empty: as in door.lua)
-- TTL   hold:ID ends grace_ms after the new deadline; its lapse alone moves no stock
-- E.g.  an offer within its time: taken; state pending, version 1 of the session's key
local order = redis.call('HMGET', ORDER, 'state', 'lines', 'deadline')
if not order[1] then return answer('unknown_order') end
if order[1] ~= 'offered' then return answer('already', order[1]) end
if tonumber(order[3]) <= now then return answer('late') end
local door = door_stands(DOOR, STOCKED)
if door ~= 'open' then return answer('closed', door) end
local deadline = now + ask.hold_ms
local expires_at = math.floor(now / 1000) + math.max(math.ceil(ask.hold_ms / 1000), ask.session_seconds)
redis.call('HSET', ORDER, 'form', ask.form, 'deadline', int(deadline), 'expires_at', int(expires_at),
  'taken', int(now))
redis.call('HSET', HOLD, 'deadline', int(deadline))
redis.call('PEXPIREAT', HOLD, int(deadline + ask.grace_ms))
redis.call('ZADD', HOLDS, int(deadline), ask.order)
for _, line in ipairs(cjson.decode(order[2])) do
  redis.call('ZADD', RETURNS, int(deadline), line.sku .. ':' .. ask.order)
end
redis.call('ZREM', DUE, 'mail:offer:' .. ask.order, 'expire:' .. ask.order)
begin_payment(deadline)
set_state('pending')
return answer('taken')
