-- Number a new creation of the order's session, because the key before it will never say more.
--
-- The number and the new expires_at are stored here, before Stripe sees them, so that a repeat is
-- the same request. Should both numbers have made one, the first that comes is the order's own and
-- the other a stray.
-- KEYS  as in books.lua
-- ASK   order, version (the spent one), session_seconds
-- ANSWER renewed VERSION EXPIRES_AT (seconds) | stale STATE: somebody else went on first
--       | unknown_order: Redis has lost it
-- E.g.  version 1 spent: renewed 2 1795000000
local order = redis.call('HMGET', ORDER, 'state', 'session_version')
if not order[1] then return answer('unknown_order') end
if order[1] ~= 'pending' or tonumber(order[2]) ~= ask.version then return answer('stale', order[1]) end
local expires_at = math.floor(now / 1000) + ask.session_seconds
redis.call('HSET', ORDER, 'session_version', int(ask.version + 1), 'expires_at', int(expires_at))
return answer('renewed', int(ask.version + 1), int(expires_at))
