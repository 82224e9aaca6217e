-- Give the goods for a payment that succeeded, or see that its money goes back.
--
-- Whether amount and currency are right is decided before, from what the order keeps unchanged. A
-- payment that was authorised here before has been captured now.
-- KEYS  as in books.lua
-- ASK   order, payment_intent (the session, when nothing was to be paid), session (may be empty),
--       amount (minor units), parts, in_turn (both see books.lua), email, event
-- ANSWER sold | captured (authorised before) | retaken (released before, the units were still there)
--       | oversold (they were not: refund due; of 0: released, and told that nothing was charged)
--       | duplicate (paid before, or a person looks at money of it: this payment's refund is due) | cancelled (by the operator, while it was
--       authorised: refund due) | already STATE | later STATE (as the books may not be whole; due: ask)
--       | other_order ORDER (this payment is that one's already) | unknown_order
-- E.g.  an open order: sold; held -2, sold +2, state paid, due: mail:confirmed
local fields = redis.call('HMGET', ORDER, 'state', 'lines', 'basket', 'paid_by', 'session', 'mail:confirmed', 'restored')
local state, paid_by = fields[1], fields[4]
if not state then return answer('unknown_order') end
local payment = 'payment:' .. ask.payment_intent
if redis.call('HEXISTS', ORDER, payment) == 1 or (ask.amount == 0 and redis.call('HEXISTS', ORDER, 'voided:' .. ask.payment_intent) == 1) then
  keep_email()
  return answer('already', state)
end
local owner = redis.call('HGET', PAYMENTS, ask.payment_intent)
if owner and owner ~= ask.order then return answer('other_order', owner) end
local lines = its_own(cjson.decode(fields[2]))
local at = units_at(lines)
if has_to_wait(at) then return answer('later', state) end
local cancelled = false
if redis.call('HDEL', ORDER, 'authorized:' .. ask.payment_intent) == 1 then
  redis.call('ZREM', DUE, 'capture:' .. ask.order .. ':' .. ask.payment_intent, 'void:' .. ask.order .. ':' .. ask.payment_intent)
  cancelled = redis.call('HGET', ORDER, 'void_reason:' .. ask.payment_intent) == 'cancelled'
  redis.call('HDEL', ORDER, 'void_reason:' .. ask.payment_intent)
  if paid_by == ask.payment_intent and at == 'sold' then
    redis.call('HSET', ORDER, payment, int(ask.amount))
    keep_email()
    if state == 'authorized' then set_state('paid') end
    schedule('mail:confirmed:' .. ask.order, now)
    return answer('captured')
  end
  -- It was to be cancelled and was captured all the same, by somebody's hand: money like any other.
  if paid_by == ask.payment_intent then paid_by = nil end
end
redis.call('HSET', PAYMENTS, ask.payment_intent, ask.order)
keep_email()
note_session(ask.session)
if cancelled and at == 'none' and not paid_by then -- the operator had cancelled it before
  send_back('cancelled')
  redis.call('HSET', ORDER, 'paid_by', ask.payment_intent)
  set_state('refund_due', 'cancelled')
  return answer('cancelled')
end
if paid_by or at == 'sold' or money_at_hand(state) then
  send_back('duplicate')
  return answer('duplicate', state)
end
local gone = at == 'none' and not (fields[7] and all_in(AVAILABLE, lines) or all_free(lines))
if gone and ask.amount == 0 then
  send_back('sold_out')
  if state == 'released' then set_state('released', 'sold_out') end
  return answer('oversold')
end
redis.call('HSET', ORDER, payment, int(ask.amount))
keep_parts()
redis.call('HSET', ORDER, 'paid_by', ask.payment_intent, 'payment_intent', ask.amount > 0 and ask.payment_intent or '')
if fields[5] and ask.session ~= '' and fields[5] ~= ask.session then
  schedule('stray:' .. ask.order .. ':' .. fields[5], now)
end
if gone then
  send_back('sold_out')
  set_state('refund_due', 'sold_out')
  return answer('oversold')
end
if at == 'held' then
  end_hold(lines)
  move_order(lines, fields[3], 'held', 'sold', 'sell', '')
else
  move_order(lines, basket_of(lines), 'available', 'sold', 'retake', fields[7] and 'restored' or 'paid late')
end
set_state('paid')
if not fields[6] then schedule('mail:confirmed:' .. ask.order, now) end
return answer(at == 'held' and 'sold' or 'retaken')
