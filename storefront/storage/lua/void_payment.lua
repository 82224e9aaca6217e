-- Note that an authorisation has ended without money: cancelled by us, or run out at the bank.
--
-- The goods of an order that it was to pay go back on sale; goods that were handed over already need
-- a person.
-- KEYS  as in books.lua
-- ASK   order, payment_intent, reason (why, should the order itself not say it), event
-- ANSWER voided | review | kept STATE (this payment is not an authorisation here) | unknown_order
-- E.g.  an order in void_due: voided; due: mail:voided:ORDER:PAYMENT
local fields = redis.call('HMGET', ORDER, 'state', 'lines', 'basket', 'paid_by',
  'authorized:' .. ask.payment_intent, 'void_reason:' .. ask.payment_intent, 'at:fulfilled')
local state = fields[1]
if not state then return answer('unknown_order') end
if not fields[5] then return answer('kept', state) end
local lines = its_own(cjson.decode(fields[2]))
local at = units_at(lines)
local line = fields[4] == ask.payment_intent and not fields[7] and at ~= 'none' and strangers(lines)
if line then return line end
redis.call('HDEL', ORDER, 'authorized:' .. ask.payment_intent)
redis.call('HSET', ORDER, 'voided:' .. ask.payment_intent, fields[5])
redis.call('ZREM', DUE, 'capture:' .. ask.order .. ':' .. ask.payment_intent, 'void:' .. ask.order .. ':' .. ask.payment_intent)
schedule('mail:voided:' .. ask.order .. ':' .. ask.payment_intent, now)
if fields[4] ~= ask.payment_intent then return answer('voided') end
redis.call('HDEL', ORDER, 'paid_by')
if fields[7] then
  keep_for_a_person(lines)
  set_state('review', 'handed over, but its payment was never captured')
  schedule('mail:review:' .. ask.order, now)
  return answer('review')
end
if at == 'held' then end_hold(lines) end
if at ~= 'none' then move_order(lines, fields[3], at, 'available', 'return', 'voided') end
if money_at_hand(state) then return answer('voided') end
set_state('voided', fields[6] or ask.reason)
return answer('voided')
