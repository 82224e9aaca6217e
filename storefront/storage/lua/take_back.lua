-- Take back, soon after, that units of an order were handed over.
--
-- KEYS  as in books.lua
-- ASK   order, key (of the form that handed them over), who, undo_ms (so long after it can be done)
-- ANSWER taken_back | already | too_late (or some of these units went back by a refund since)
--       | not_handed (no form of this key handed anything over) | unknown_order
-- E.g.  of a fulfilled order, within a minute: taken_back; state paid, two ledger entries sold to sold
local fields = redis.call('HMGET', ORDER, 'state', 'handover:' .. ask.key)
local state, done = fields[1], fields[2] and cjson.decode(fields[2])
if not state then return answer('unknown_order') end
if not done then return answer('not_handed') end
if done.undone then return answer('already') end
if now - done.at >= ask.undo_ms or (state ~= 'paid' and state ~= 'fulfilled') then return answer('too_late') end
for _, line in ipairs(done.lines) do
  if units(ORDER, 'handed:' .. line.sku) < line.quantity then return answer('too_late') end
end
for _, line in ipairs(done.lines) do
  redis.call('HINCRBY', ORDER, 'handed:' .. line.sku, int(-line.quantity))
  move(line.sku, line.quantity, 'sold', 'sold', 'take_back', 'handed over by mistake', ask.who)
end
done.undone = now
redis.call('HSET', ORDER, 'handover:' .. ask.key, cjson.encode(done))
if done.sent then redis.call('ZREM', DUE, 'mail:sent:' .. ask.order) end
redis.call('HDEL', ORDER, 'at:fulfilled')
if state == 'fulfilled' then set_state('paid') end
return answer('taken_back')
