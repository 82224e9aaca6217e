-- Let a place count from now on, where it joined; units that are there are offered to it at once.
--
-- KEYS  as in books.lua
-- ASK   place
-- ANSWER confirmed | already STATE | unknown_place
-- E.g.  the third to join: confirmed; third in line, whenever the others confirm
local text = redis.call('HGET', PLACES, ask.place)
if not text then return answer('unknown_place') end
local place = cjson.decode(text)
if place.state ~= 'unconfirmed' then return answer('already', place.state) end
local line = strangers({ { sku = place.sku, quantity = 0, joining = place.orders } })
if line then return line end
place.state, place.confirmed = 'waiting', now
redis.call('HSET', PLACES, ask.place, cjson.encode(place))
redis.call('ZADD', WAITING, '0', place.sku .. ':' .. place.number .. ':' .. ask.place)
redis.call('ZREM', DUE, 'lapse:' .. ask.place, 'mail:waitlist:' .. ask.place)
changed[place.sku] = true
return answer('confirmed')
