-- Put an order before a person, its units kept where they are counted.
--
-- KEYS  as in books.lua
-- ASK   order, reason (a sentence), payment_intent and amount (minor units; of a payment that
--       succeeded but must not buy this order, else empty and 0), email, event
-- ANSWER review | already STATE | other_order ORDER (this payment is that one's already)
--       | unknown_order
-- TTL   hold:ID loses its TTL: only what Stripe or a person does next ends it
-- E.g.  3000 paid for an order of 2500: review; due: mail:review
local fields = redis.call('HMGET', ORDER, 'state', 'lines', 'paid_by')
if not fields[1] then return answer('unknown_order') end
local payment = 'payment:' .. ask.payment_intent
if ask.payment_intent ~= '' then
  if redis.call('HEXISTS', ORDER, payment) == 1 then return answer('already', fields[1]) end
  local owner = redis.call('HGET', PAYMENTS, ask.payment_intent)
  if owner and owner ~= ask.order then return answer('other_order', owner) end
  redis.call('HSET', ORDER, payment, int(ask.amount))
  redis.call('HDEL', ORDER, 'authorized:' .. ask.payment_intent)
  redis.call('HSET', PAYMENTS, ask.payment_intent, ask.order)
  if not fields[3] then
    redis.call('HSET', ORDER, 'paid_by', ask.payment_intent, 'payment_intent', ask.payment_intent)
  end
elseif fields[1] == 'review' then
  give_up_plans()
  return answer('already', fields[1])
end
keep_email()
keep_for_a_person(cjson.decode(fields[2]))
set_state('review', ask.reason)
schedule('mail:review:' .. ask.order, now)
return answer('review')
