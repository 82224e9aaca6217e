-- Bring what ever came in of a SKU, and what was written off, up to a number.
--
-- It counts to a number and not by a step, so that a rebuild which was cut short can begin again.
-- KEYS  as in books.lua
-- ASK   sku, stocked, written_off (units), reason, who
-- ANSWER done | already
-- E.g.  40 stocked and 2 of them written off, in empty books: done; available 38, written_off 2, stocked 40
assert(ask.stocked % 1 == 0 and ask.written_off % 1 == 0, 'units are whole numbers')
local line = strangers({ { sku = ask.sku, quantity = ask.stocked - units(STOCKED, ask.sku) } })
if line then return line end
local fresh = redis.call('HEXISTS', STOCKED, ask.sku) == 0
if fresh then
  for _, counter in pairs(COUNTERS) do redis.call('HSET', counter, ask.sku, '0') end
  redis.call('HSET', STOCKED, ask.sku, '0')
end
local missing = ask.stocked - units(STOCKED, ask.sku)
local lost = ask.written_off - units(WRITTEN_OFF, ask.sku)
if missing > 0 then move(ask.sku, missing, '', 'available', 'restock', ask.reason, ask.who) end
lost = math.min(lost, units(AVAILABLE, ask.sku))
if lost > 0 then move(ask.sku, lost, 'available', 'written_off', 'write_off', ask.reason, ask.who) end
return answer((fresh or missing > 0 or lost > 0) and 'done' or 'already')
