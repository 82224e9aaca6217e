-- Give back what is left of a payment link, on Stripe's word that nobody can pay through it any more.
--
-- Whoever waits in line for them is offered them first. A server that was restarted since that word may
-- have lost what was sold of them.
-- KEYS  as in books.lua, with link:ID (hash) in the place of order:ID
-- ASK   order (link:ID), link, why (where the link does not say so itself), stripe (its id there, of
--       which Stripe was asked; empty: it has none), run (the server's id, as in door.lua, before that)
-- ANSWER closed LEFT (units that went back) | already | restarted | other STRIPE (which it has by now)
--       | unknown_link
-- E.g.  a link with 7 units left: closed; held -7, available +7, state closed
local LINK = ORDER
local link = redis.call('HMGET', LINK, 'state', 'sku', 'left', 'why', 'who', 'stripe')
if not link[1] then return answer('unknown_link') end
if link[1] == 'closed' then return answer('already') end
if this_run() ~= ask.run then return answer('restarted') end
if (link[6] or '') ~= ask.stripe then return answer('other', link[6] or '') end
local left, why = tonumber(link[3]), link[4] or ask.why
assert(units(HELD, link[2]) >= left, 'the books disagree: fewer units are held than the link has')
local line = left > 0 and strangers({ { sku = link[2], quantity = left } })
if line then return line end
if left > 0 then
  move_order({ { sku = link[2], quantity = left } }, '', 'held', 'available', 'unlink', why, link[5] or '')
end
redis.call('HSET', LINK, 'state', 'closed', 'left', '0', 'returned', int(left), 'why', why, 'closed', int(now))
redis.call('ZREM', DUE, 'link:' .. ask.link, 'unlink:' .. ask.link)
return answer('closed', int(left))
