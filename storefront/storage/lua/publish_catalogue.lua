-- Put products on the shelf; a SKU that is seen for the first time gets its stock.
--
-- Stripe shows names, texts, pictures and prices too, so those of a product that changed are due.
-- The first of them opens the shop. A shop whose books were lost stays closed until it is rebuilt, and
-- the door remembers the stock for that.
-- KEYS  as in books.lua, with catalogue (hash, slug -> product as JSON) in the place of order:ID and
--       catalogue:version (string) in the place of hold:ID
-- ASK   products {slug: JSON text}, stock {sku: units}, version, who, lost (Stripe knows sales of this
--       shop that are not here), since (optional: the version that these products were made from)
-- ANSWER published SKU… (those that got their first stock) | changed (it is another version by now)
-- E.g.  a file with one new SKU of 40: published poster-red; available 40, stocked 40; due: mirror:poster-red
for _, quantity in pairs(ask.stock) do
  assert(quantity >= 0 and quantity % 1 == 0, 'stock is a whole number, 0 or more')
end
local version = redis.call('GET', HOLD) or ''
if ask.since and version ~= ask.since and version ~= ask.version then return answer('changed') end
local variants = {}
for slug, product in pairs(ask.products) do variants[slug] = cjson.decode(product).variants or {} end
local door = door_stands(DOOR, STOCKED)
if door == 'empty' and ask.lost then
  redis.call('HSET', DOOR, 'rebuild', int(now))
  door = 'rebuild'
elseif door == 'empty' then
  redis.call('HSET', DOOR, 'run', this_run())
end
local fresh = { 'published' }
for slug, product in pairs(ask.products) do
  local same = door == 'rebuild' or redis.call('HGET', ORDER, slug) == product
  for _, variant in ipairs(same and {} or variants[slug]) do
    if redis.call('HEXISTS', STOCKED, variant.sku) == 1 then schedule_anew('show:' .. variant.sku, now) end
  end
  redis.call('HSET', ORDER, slug, product)
end
for sku, quantity in pairs(ask.stock) do
  if redis.call('HEXISTS', STOCKED, sku) == 0 then
    for _, counter in pairs(COUNTERS) do redis.call('HSET', counter, sku, '0') end
    redis.call('HSET', STOCKED, sku, '0')
    if door == 'rebuild' then
      redis.call('HSET', DOOR, 'stock:' .. sku, int(quantity))
    elseif quantity > 0 then
      move(sku, quantity, '', 'available', 'restock', 'first import', ask.who)
    else
      schedule('mirror:' .. sku, now) -- that it starts with none is worth keeping, too
    end
    if door ~= 'rebuild' then fresh[#fresh + 1] = sku end
  end
end
redis.call('SET', HOLD, ask.version)
has_changed = true -- open pages look at products and opening times, too
return answer(unpack(fresh))
