-- Note a refund as Stripe tells it, made by us or in Stripe's dashboard.
--
-- One that the operator planned takes its units where the operator said, with the first word of it and
-- whatever becomes of the money. A full refund of the payment that bought the goods ends the order: the
-- units left go where the plan says, else back on sale; what was handed over is written off.
-- A refund that fails needs a person; hold:ID loses its TTL then.
-- KEYS  as in books.lua
-- ASK   order, refund, payment_intent, amount (minor units), status, reason, again_ms (ask again
--       about a pending one after so long), plan (its key, else empty), units [{sku, quantity}], to and
--       note (as its metadata says, should the plan be lost), by_hand (a person is to give it back), event
-- ANSWER refunded | recorded | failed | already | unpaid (settle this payment first) | unwanted (by hand,
--       and Redis has lost that it was to go back) | unknown_order
-- E.g.  2500 of 2500 back for an order in refund_due: refunded; due: mail:refunded:ORDER:REFUND
local RANK = { succeeded = 2, canceled = 3, failed = 3 }
local function rank(status)
  return RANK[status] or 1 -- pending, requires_action, and whatever Stripe may add
end
local fields = redis.call('HMGET', ORDER, 'state', 'lines', 'paid_by', 'at:fulfilled', 'refund_reason:' .. ask.payment_intent)
local state = fields[1]
if not state then return answer('unknown_order') end
if redis.call('HEXISTS', ORDER, 'payment:' .. ask.payment_intent) == 0 then return answer('unpaid') end
local field = 'refund:' .. ask.refund
local before = redis.call('HGET', ORDER, field)
local was = before and cjson.decode(before)
-- Events come in no order: a status that was passed already says nothing new.
if was and rank(was.status) >= rank(ask.status) then return answer('already') end
local lines = its_own(cjson.decode(fields[2]))
local at = units_at(lines)
local planned = ask.plan ~= '' and redis.call('HGET', ORDER, 'plan:' .. ask.plan)
local wanted_here = planned or ask.plan == '' and fields[5]
if ask.by_hand and not wanted_here then return answer('unwanted') end
local plan = planned and cjson.decode(planned) or ask.plan ~= '' and { payment_intent = ask.payment_intent,
  amount = ask.amount, lines = ask.units, to = ask.to, reason = ask.note, who = '' }
if plan and (plan.refund or ask.refund) ~= ask.refund then plan = false end -- another one did it
local freed = at ~= 'none' and (plan and plan.to == 'available' or fields[3] and not fields[4])
local line = freed and strangers(lines)
if line then return line end
redis.call('HSET', ORDER, field, cjson.encode({ amount = ask.amount, status = ask.status,
  payment_intent = ask.payment_intent, reason = ask.reason }))
if plan and not plan.refund then
  lines, at = carry_out(ask.plan, plan, ask.refund, lines, at)
end
local job = 'refund:' .. ask.order .. ':' .. ask.payment_intent
if ask.status == 'failed' or ask.status == 'canceled' then
  redis.call('ZREM', DUE, job)
  keep_for_a_person(lines)
  if state ~= 'review' then schedule('mail:review:' .. ask.order, now) end
  set_state('review', 'refund ' .. ask.refund .. ' ' .. ask.status)
  return answer('failed')
end
local told = redis.call('HEXISTS', ORDER, 'mail:refunded:' .. ask.refund) == 1
if not was and not told then schedule('mail:refunded:' .. ask.order .. ':' .. ask.refund, now) end
local owed, wanted = money_left()
if owed[ask.payment_intent] <= 0 and wanted[ask.payment_intent] then -- there is nothing left to want
  give_up_plans()
  wanted = {}
end
if wanted[ask.payment_intent] or (fields[5] and owed[ask.payment_intent] > 0) then
  schedule(job, now) -- more is to go back, and this was only a part
elseif ask.status == 'succeeded' then
  redis.call('ZREM', DUE, job)
elseif not was then
  schedule_anew(job, now + ask.again_ms)
else
  schedule(job, now + ask.again_ms)
end
-- Nothing went back of what bought the goods while that is only authorised.
local own = fields[3] and owed[fields[3]]
-- Goods for which nothing was charged stay given, whatever another payment of theirs gets back.
local free = fields[3] and redis.call('HGET', ORDER, 'payment:' .. fields[3]) == '0'
if not own or free or own > 0 or state == 'refunded' then return answer('recorded') end
if at == 'held' then end_hold(lines) end
if at ~= 'none' then
  local to = plan and (plan.to == 'sold' and 'written_off' or plan.to) or 'available'
  send_out(lines, {}, at, to, plan and plan.handed or {}, plan and plan.reason or 'refunded', plan and plan.who)
end
if money_at_hand(state) then return answer('recorded') end
set_state('refunded', ask.reason)
return answer('refunded')
