-- Note once what the operator wants sent back of an order, with what becomes of its units.
--
-- Nothing moves yet: the units go with Stripe's first word of the refund (record_refund).
-- KEYS  as in books.lua
-- ASK   order, payment_intent, plan (a key: the same one counts once), amount (minor units),
--       units [{sku, quantity}], to (available, written_off, or sold: they stay the customer's),
--       handed {sku: quantity} (with the customer, as the operator saw it), reason, who
-- ANSWER planned | already | too_much LEFT (minor units) | too_many SKU LEFT (units)
--       | not_paid STATE (this payment is not there, or goes back whole already) | unknown_order
-- E.g.  2500 and one of two posters of a paid order: planned; due: refund:ORDER:PAYMENT
assert(ask.amount > 0 and ask.amount % 1 == 0, 'amount is a whole number above 0')
assert(ask.to == 'available' or ask.to == 'written_off' or ask.to == 'sold', 'where the units go')
local payment = ask.payment_intent
local fields = redis.call('HMGET', ORDER, 'state', 'lines', 'payment:' .. payment, 'refund_reason:' .. payment)
local state = fields[1]
if not state then return answer('unknown_order') end
local owed, wanted, plans = money_left()
if plans[ask.plan] then return answer('already') end
local open = state == 'paid' or state == 'fulfilled' or state == 'review'
if not open or not fields[3] or fields[4] then return answer('not_paid', state) end
local left = owed[payment] - (wanted[payment] or 0)
if ask.amount > left then return answer('too_much', int(left)) end
local lines = cjson.decode(fields[2])
local at = units_at(its_own(lines))
local free = {} -- units that no refund was made for yet
for _, line in ipairs(lines) do free[line.sku] = at == 'sold' and line.quantity or 0 end
for _, plan in pairs(plans) do
  for _, line in ipairs(plan.given_up and {} or plan.lines) do
    free[line.sku] = math.max(0, (free[line.sku] or 0) - line.quantity)
  end
end
for _, line in ipairs(ask.units) do
  assert(line.quantity > 0 and line.quantity % 1 == 0, 'quantity is a whole number above 0')
  if line.quantity > (free[line.sku] or 0) then return answer('too_many', line.sku, int(free[line.sku] or 0)) end
end
redis.call('HSET', ORDER, 'plan:' .. ask.plan, cjson.encode({ payment_intent = payment, amount = ask.amount,
  lines = ask.units, to = ask.to, handed = ask.handed, reason = ask.reason, who = ask.who, at = now }))
schedule_anew('refund:' .. ask.order .. ':' .. payment, now)
return answer('planned')
