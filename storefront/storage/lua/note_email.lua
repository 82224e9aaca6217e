-- Note the shopper's address of an order, which Stripe told apart from any payment.
--
-- KEYS  as in books.lua
-- ASK   order, email
-- ANSWER noted | unknown_order
-- E.g.  ada@example.com for o1: noted; mailboxes has "ada@example.com 1795000000000 o1"
if redis.call('HEXISTS', ORDER, 'state') == 0 then return answer('unknown_order') end
keep_email()
return answer('noted')
