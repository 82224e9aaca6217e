-- Store, before it is used, the next number of a key under which Stripe is asked for something.
--
-- A number of something that Redis has lost would be all that is known of it.
-- KEYS  1 order:ID or link:ID (hash)
-- ARGV  1 field (of the number)
-- ANSWER 1, 2, … | 0 (what it is about is not here)
-- E.g.  refund_version:pi_1 of an order that has none: 1
assert(#KEYS == 1 and #ARGV == 1, 'one key, one argument')
if redis.call('HEXISTS', KEYS[1], 'state') == 0 then return 0 end
return redis.call('HINCRBY', KEYS[1], ARGV[1], 1)
