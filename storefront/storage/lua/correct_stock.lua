-- Bring what is available to what a person counted, while the counters are those that they were shown.
--
-- KEYS  as in books.lua, with restock:KEY (string, 35 days) in the place of seen:EVENT
-- ASK   sku, counted (units), apart (of these, sold and not handed over), shown {available, held, sold,
--       written_off, stocked, apart}, reason, who, event (the same key: marks it as done)
-- ANSWER done DELTA | same | already | stale | not_enough AVAILABLE | unknown_sku
-- E.g.  11 counted of 9 available and 4 held: done -2; available 7, written_off +2; due: mirror:SKU
assert(ask.counted >= 0 and ask.counted % 1 == 0, 'counted is a whole number, 0 or more')
local key = ask.event
ask.event = nil -- a refusal does not use the key up
if redis.call('EXISTS', SEEN) == 1 then return answer('already') end
if redis.call('HEXISTS', STOCKED, ask.sku) == 0 then return answer('unknown_sku') end
local same = ask.shown.apart == ask.apart and ask.shown.stocked == units(STOCKED, ask.sku)
for name, counter in pairs(COUNTERS) do
  same = same and ask.shown[name] == units(counter, ask.sku)
end
if not same then return answer('stale') end
local available = units(AVAILABLE, ask.sku)
local delta = ask.counted - ask.apart - available - units(HELD, ask.sku)
if delta == 0 then return answer('same') end
if available + delta < 0 then return answer('not_enough', int(available)) end
local line = delta > 0 and strangers({ { sku = ask.sku, quantity = delta } })
if line then return line end
ask.event = key
if delta > 0 then
  move(ask.sku, delta, '', 'available', 'restock', ask.reason, ask.who)
else
  move(ask.sku, -delta, 'available', 'written_off', 'write_off', ask.reason, ask.who)
end
return answer('done', int(delta))
