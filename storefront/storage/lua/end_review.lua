-- Give an order that a person looked at its old state back, on that person's word.
--
-- Only where nothing is left to decide: one payment, of the right amount, was kept at least in part, the
-- order has the units that it should, and no dispute is open or lost.
-- KEYS  as in books.lua
-- ASK   order
-- ANSWER resumed STATE (paid or fulfilled) | undecided WHY (money, units or dispute) | kept STATE (it
--       is in no review) | unknown_order
-- E.g.  a paid order whose dispute was won: resumed paid
local fields = redis.call('HMGET', ORDER, 'state', 'lines', 'paid_by', 'amount', 'at:fulfilled', 'mail:confirmed')
local state, paid_by = fields[1], fields[3]
if not state then return answer('unknown_order') end
if state ~= 'review' then return answer('kept', state) end
local own = its_own(cjson.decode(fields[2]))
local at = units_at(own)
local paid = paid_by and redis.call('HMGET', ORDER, 'payment:' .. paid_by, 'refund_reason:' .. paid_by) or {}
if paid[1] ~= fields[4] or paid[2] then return answer('undecided', 'money') end
for payment, left in pairs(money_left()) do
  if (payment == paid_by) == (left <= 0) then return answer('undecided', 'money') end
end
if at ~= (#own > 0 and 'sold' or 'none') then return answer('undecided', 'units') end
local all = redis.call('HGETALL', ORDER)
for i = 1, #all, 2 do
  local status = string.match(all[i], '^dispute:') and cjson.decode(all[i + 1]).status or 'won'
  if status ~= 'won' and status ~= 'warning_closed' and status ~= 'prevented' then
    return answer('undecided', 'dispute')
  end
end
local to = fields[5] and 'fulfilled' or 'paid'
set_state(to)
redis.call('ZREM', DUE, 'mail:review:' .. ask.order)
if not fields[6] then schedule('mail:confirmed:' .. ask.order, now) end
return answer('resumed', to)
