-- Set units of a SKU aside for a new payment link, before Stripe is asked to make it.
--
-- KEYS  as in books.lua, with link:ID (hash) in the place of order:ID and links (sorted set, link by
--       creation in ms) in that of hold:ID
-- ASK   order (link:ID, under which its units are counted), link, sku, units, unit_amount (minor
--       units), currency, name, slug, image, capture, who, ask_ms (after so long the worker looks)
-- ANSWER opened | already STATE | unknown_sku | not_enough AVAILABLE (0 while somebody waits in line)
--       | closed WHY (as in door.lua)
-- E.g.  20 of poster-red, 50 available: opened; available 30, held +20, state making, due: link:ID
local LINK, LINKS = ORDER, HOLD
if redis.call('HEXISTS', LINK, 'state') == 1 then return answer('already', redis.call('HGET', LINK, 'state')) end
local door = door_stands(DOOR, STOCKED)
if door ~= 'open' then return answer('closed', door) end
assert(ask.units > 0 and ask.units % 1 == 0, 'units is a whole number above 0')
if redis.call('HEXISTS', STOCKED, ask.sku) == 0 then return answer('unknown_sku') end
local free = anyone_waits(ask.sku) and 0 or units(AVAILABLE, ask.sku)
if free < ask.units then return answer('not_enough', int(free)) end
redis.call('HSET', LINK, 'id', ask.link, 'sku', ask.sku, 'units', int(ask.units), 'left', int(ask.units),
  'unit_amount', int(ask.unit_amount), 'currency', ask.currency, 'name', ask.name, 'slug', ask.slug,
  'image', ask.image, 'capture', ask.capture, 'created', int(now), 'version', '1', 'state', 'making')
redis.call('ZADD', LINKS, int(now), ask.link)
move_order({ { sku = ask.sku, quantity = ask.units } }, ask.sku .. '=' .. int(ask.units),
  'available', 'held', 'allot', '', ask.who)
schedule('link:' .. ask.link, now + ask.ask_ms)
return answer('opened')
