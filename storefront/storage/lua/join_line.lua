-- Take a place in the line for a SKU, to be confirmed by the mail's link; who has one keeps it.
--
-- Unconfirmed places count for nobody, and lapse. The mail is due at most once in again_ms, so that
-- nobody can have a stranger's mailbox filled.
-- KEYS  as in books.lua
-- ASK   place, sku, email, orders [ids that its offers will have, one for each unit], renew (a place
--       whose offers are all over begins anew), again_ms, lapse_ms, language (of its mails)
-- ANSWER joined | already STATE | unknown_sku
-- E.g.  one unit of poster-red: joined; due: mail:waitlist:PLACE, lapse:PLACE
if redis.call('HEXISTS', STOCKED, ask.sku) == 0 then return answer('unknown_sku') end
assert(#ask.orders > 0, 'at least one unit')
local text = redis.call('HGET', PLACES, ask.place)
local place = text and cjson.decode(text)
local stands = place and (place.state == 'unconfirmed' or place.state == 'waiting' or place.state == 'offered' and not ask.renew)
if stands then
  if place.state == 'unconfirmed' and place.mailed + ask.again_ms <= now then
    place.mailed = now
    redis.call('HSET', PLACES, ask.place, cjson.encode(place))
    schedule('mail:waitlist:' .. ask.place, now)
  end
  return answer('already', place.state)
end
-- The number is the order of joining, also of two in one millisecond.
local number = string.format('%012d', redis.call('HINCRBY', PLACES, 'last', 1))
redis.call('HSET', PLACES, ask.place, cjson.encode({
  sku = ask.sku, email = ask.email, orders = ask.orders, offered = 0, number = number,
  state = 'unconfirmed', joined = now, mailed = now, confirmed = 0, language = ask.language,
}))
schedule('mail:waitlist:' .. ask.place, now)
schedule('lapse:' .. ask.place, now + ask.lapse_ms)
return answer('joined')
