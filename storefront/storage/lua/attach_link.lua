-- Note the Payment Link that Stripe made, so that the link sells.
--
-- KEYS  as in books.lua, with link:ID (hash) in the place of order:ID
-- ASK   order (link:ID), stripe (its id there), url
-- ANSWER attached | already | other STRIPE (it has another one, so this one must be ended)
--       | unknown_link
-- E.g.  a link that is made: attached; state open. One that was ended meanwhile stays so.
local LINK = ORDER
local link = redis.call('HMGET', LINK, 'state', 'stripe')
if not link[1] then return answer('unknown_link') end
if link[2] == ask.stripe then return answer('already') end
if link[2] then return answer('other', link[2]) end
redis.call('HSET', LINK, 'stripe', ask.stripe, 'url', ask.url)
if link[1] == 'making' then redis.call('HSET', LINK, 'state', 'open') end
return answer('attached')
