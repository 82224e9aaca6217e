-- Give an open order's hold more time, once.
--
-- The deadline moves everywhere at once: in the order, its hold, the lists and the job that ends it.
-- KEYS  as in books.lua
-- ASK   order, until_ms (the new deadline), grace_ms
-- ANSWER extended DEADLINE (ms) | already DEADLINE | no_room: until_ms is not later than the deadline
--       | too_late STATE: it is not open, or its deadline has passed | unknown_order: Redis has lost it
-- TTL   hold:ID ends grace_ms after the new deadline; its lapse alone moves no stock
-- E.g.  an open order held until 14:32: extended to 14:42; due: expire at 14:42
local order = redis.call('HMGET', ORDER, 'state', 'deadline', 'extended', 'lines')
if not order[1] then return answer('unknown_order') end
if order[3] then return answer('already', order[2]) end
if order[1] ~= 'open' or tonumber(order[2]) <= now then return answer('too_late', order[1]) end
if ask.until_ms <= tonumber(order[2]) then return answer('no_room') end
local deadline = int(ask.until_ms)
redis.call('HSET', ORDER, 'deadline', deadline, 'extended', order[2])
redis.call('HSET', HOLD, 'deadline', deadline)
redis.call('PEXPIREAT', HOLD, int(ask.until_ms + ask.grace_ms))
redis.call('ZADD', HOLDS, deadline, ask.order)
for _, line in ipairs(cjson.decode(order[4])) do
  redis.call('ZADD', RETURNS, deadline, line.sku .. ':' .. ask.order)
end
redis.call('ZADD', DUE, deadline, 'expire:' .. ask.order)
return answer('extended', deadline)
