-- Keep why an order's payment is being ended: Stripe's own event of it may come first.
--
-- KEYS  1 order:ID (hash)
-- ARGV  1 reason (empty: the attempt failed)
-- ANSWER noted | unknown_order
-- E.g.  cancelled, for an open order: noted; its ending is cancelled until Stripe says how it ended
assert(#KEYS == 1 and #ARGV == 1, 'one key, one argument')
if redis.call('HEXISTS', KEYS[1], 'state') == 0 then return 'unknown_order' end
if ARGV[1] == '' then redis.call('HDEL', KEYS[1], 'ending') else redis.call('HSET', KEYS[1], 'ending', ARGV[1]) end
return 'noted'
