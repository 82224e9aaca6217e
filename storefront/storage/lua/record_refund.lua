-- Note a refund as Stripe tells it, made by us or in Stripe's dashboard.
--
-- A full refund of the payment that bought the goods ends the order: units not yet handed over go
-- back on sale, handed-over ones are written off. A refund that fails needs a person; hold:ID loses
-- its TTL then.
-- KEYS  as in books.lua
-- ASK   order, refund, payment_intent, amount (minor units), status, reason, again_ms (ask again
--       about a pending one after so long), event
-- ANSWER refunded | recorded | failed | already | unknown_order
-- E.g.  2500 of 2500 back for an order in refund_due: refunded; due: mail:refunded:ORDER:REFUND
local RANK = { succeeded = 2, canceled = 3, failed = 3 }
local function rank(status)
  return RANK[status] or 1 -- pending, requires_action, and whatever Stripe may add
end
local fields = redis.call('HMGET', ORDER, 'state', 'lines', 'basket', 'paid_by', 'at:fulfilled',
  'payment:' .. ask.payment_intent, 'refund_reason:' .. ask.payment_intent)
local state = fields[1]
if not state then return answer('unknown_order') end
local field = 'refund:' .. ask.refund
local before = redis.call('HGET', ORDER, field)
local was = before and cjson.decode(before)
-- Events come in no order: a status that was passed already says nothing new.
if was and rank(was.status) >= rank(ask.status) then return answer('already') end
local lines = cjson.decode(fields[2])
local at = units_at(lines)
local row = { amount = ask.amount, status = ask.status, payment_intent = ask.payment_intent, reason = ask.reason }
redis.call('HSET', ORDER, field, cjson.encode(row))
local job = 'refund:' .. ask.order .. ':' .. ask.payment_intent
if ask.status == 'failed' or ask.status == 'canceled' then
  redis.call('ZREM', DUE, job)
  keep_for_a_person(lines)
  if state ~= 'review' then schedule('mail:review:' .. ask.order, now) end
  set_state('review', 'refund ' .. ask.refund .. ' ' .. ask.status)
  return answer('failed')
end
if not was then schedule('mail:refunded:' .. ask.order .. ':' .. ask.refund, now) end
local back = 0 -- of this payment, in all
local all = redis.call('HGETALL', ORDER)
for i = 1, #all, 2 do
  local refund = string.sub(all[i], 1, 7) == 'refund:' and cjson.decode(all[i + 1])
  if refund and refund.payment_intent == ask.payment_intent and rank(refund.status) < 3 then
    back = back + refund.amount
  end
end
if fields[7] and back < tonumber(fields[6]) then
  schedule(job, now) -- all of it is to go back, and this was only a part
elseif ask.status == 'succeeded' then
  redis.call('ZREM', DUE, job)
else
  schedule(job, now + ask.again_ms)
end
local paid = ask.payment_intent == fields[4] and tonumber(fields[6])
if not paid or back < paid or state == 'refunded' then return answer('recorded') end
if at == 'held' then end_hold(lines) end
if at ~= 'none' then
  local to = fields[5] and 'written_off' or 'available'
  move_order(lines, fields[3], at, to, 'return', 'refunded')
end
set_state('refunded', ask.reason)
return answer('refunded')
