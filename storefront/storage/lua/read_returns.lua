-- When the first held unit of each of these SKUs may return, should its shopper not pay.
--
-- Units that others are in line for return to nobody else.
-- KEYS  1 returns (sorted set, SKU:order by deadline in ms), 2 waiting (sorted set, SKU:number:place)
-- ARGV  1 SKUs (a JSON list)
-- ANSWER [SKU DEADLINE (ms)]… of those that may return soon: only the 200 earliest are looked at
-- E.g.  of poster-red one hold ends at 14:32: poster-red 1795098720000
assert(#KEYS == 2 and #ARGV == 1, 'two keys, one argument')
local wanted, found = {}, {}
for _, sku in ipairs(cjson.decode(ARGV[1])) do
  wanted[sku] = redis.call('ZLEXCOUNT', KEYS[2], '[' .. sku .. ':', '(' .. sku .. ';') == 0
end
local returns = redis.call('ZRANGE', KEYS[1], 0, 199, 'WITHSCORES')
for i = 1, #returns, 2 do
  local sku = string.match(returns[i], '^(.*):[^:]+$')
  if wanted[sku] then
    wanted[sku] = nil
    found[#found + 1] = sku
    found[#found + 1] = returns[i + 1]
  end
end
return found
