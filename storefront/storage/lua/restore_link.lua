-- Write down again a payment link that was lost, with what is left of its allotment.
--
-- Where not all of that is still available the link comes back with what is, and is to end.
-- KEYS  as in books.lua, with link:ID (hash) in the place of order:ID and links (sorted set, link by
--       creation in ms) in that of hold:ID
-- ASK   order (link:ID), link, sku, units, left, unit_amount (minor units), currency, name, slug,
--       image, capture, stripe (its id there), url
-- ANSWER restored | already STATE | short (it is to end; due: unlink:ID)
-- E.g.  7 of 20 left, 30 available: restored; available 23, held +7, state open, due: link:ID
local LINK, LINKS = ORDER, HOLD
if redis.call('HEXISTS', LINK, 'state') == 1 then return answer('already', redis.call('HGET', LINK, 'state')) end
assert(ask.units > 0 and ask.units % 1 == 0, 'units is a whole number above 0')
assert(ask.left >= 0 and ask.left <= ask.units and ask.left % 1 == 0, 'left is a whole number up to units')
local left = math.max(0, math.min(ask.left, units(AVAILABLE, ask.sku)))
local whole = left == ask.left and left > 0
redis.call('HSET', LINK, 'id', ask.link, 'sku', ask.sku, 'units', int(ask.units), 'left', int(left),
  'unit_amount', int(ask.unit_amount), 'currency', ask.currency, 'name', ask.name, 'slug', ask.slug,
  'image', ask.image, 'capture', ask.capture, 'created', int(now), 'version', '1', 'restored', int(now),
  'stripe', ask.stripe, 'url', ask.url, 'state', whole and 'open' or 'closing')
if not whole then redis.call('HSET', LINK, 'why', 'restored') end
redis.call('ZADD', LINKS, int(now), ask.link)
if left > 0 then
  move_order({ { sku = ask.sku, quantity = left } }, ask.sku .. '=' .. int(left),
    'available', 'held', 'allot', 'restored')
end
if whole then schedule('link:' .. ask.link, now) else schedule('unlink:' .. ask.link, now) end
return answer(whole and 'restored' or 'short')
