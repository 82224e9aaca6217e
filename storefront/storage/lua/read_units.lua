-- Read where the units are of all that hold some, and of the newest orders.
--
-- Never of all orders, of which there may be very many.
-- KEYS  1 units (hash, order -> where, and how many of each SKU), 2 holds (sorted set, order by deadline),
--       3 orders (sorted set, order by time), 4 links (sorted set, payment link by time)
-- ARGV  1 how many of the newest orders (1 or more)
-- ANSWER [ORDER UNITS]… of those that have units, each once
-- E.g.  of two newest orders one holds and one is released: o2 'held poster=1'
assert(#KEYS == 4 and #ARGV == 1, 'four keys, one argument')
local found, seen = {}, {}
local function note(names, prefix)
  for _, name in ipairs(names) do
    local order = prefix .. name
    local units = not seen[order] and redis.call('HGET', KEYS[1], order)
    seen[order] = true
    if units then
      found[#found + 1] = order
      found[#found + 1] = units
    end
  end
end
note(redis.call('ZRANGE', KEYS[2], 0, -1), '')
note(redis.call('ZRANGE', KEYS[3], -tonumber(ARGV[1]), -1), '')
note(redis.call('ZRANGE', KEYS[4], 0, -1), 'link:')
return found
