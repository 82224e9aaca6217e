-- Add units of a SKU, or take available ones away, once for each key.
--
-- KEYS  as in books.lua, with restock:KEY (string, 35 days) in the place of seen:EVENT
-- ASK   sku, delta (whole, not 0), reason, who, event (the same key: marks it as done)
-- ANSWER done | already | not_enough AVAILABLE | unknown_sku
-- E.g.  -3 of 5 available: done; available 2, written_off +3; due: mirror:SKU
assert(ask.delta ~= 0 and ask.delta % 1 == 0, 'delta is a whole number other than 0')
local key = ask.event
ask.event = nil -- a refusal does not use the key up
if redis.call('EXISTS', SEEN) == 1 then return answer('already') end
if redis.call('HEXISTS', STOCKED, ask.sku) == 0 then return answer('unknown_sku') end
if units(AVAILABLE, ask.sku) + ask.delta < 0 then return answer('not_enough', int(units(AVAILABLE, ask.sku))) end
local line = ask.delta > 0 and strangers({ { sku = ask.sku, quantity = ask.delta } })
if line then return line end
ask.event = key
if ask.delta > 0 then
  move(ask.sku, ask.delta, '', 'available', 'restock', ask.reason, ask.who)
else
  move(ask.sku, -ask.delta, 'available', 'written_off', 'write_off', ask.reason, ask.who)
end
return answer('done')
