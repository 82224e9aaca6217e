-- Commit the goods to a payment that a bank has agreed to, or see that it is let go again.
--
-- No money has moved yet: it is captured next, or the authorisation is cancelled, free of fees.
-- KEYS  as in books.lua
-- ASK   order, payment_intent, session (may be empty), amount (minor units), parts, in_turn (both see
--       books.lua), capture_before (seconds; 0: not known), email, event
-- ANSWER authorized | retaken (released before, the units were still there) | oversold (they were not:
--       void due) | duplicate (paid or authorised before, or a person looks at money of it: this one's void is due) | already STATE
--       | later STATE (as the books may not be whole; due: ask)
--       | other_order ORDER (this payment is that one's already) | unknown_order
-- E.g.  an open order: authorized; held -2, sold +2, due: capture
local fields = redis.call('HMGET', ORDER, 'state', 'lines', 'basket', 'paid_by', 'session', 'restored')
local state, paid_by = fields[1], fields[4]
if not state then return answer('unknown_order') end
local authorized = 'authorized:' .. ask.payment_intent
local known = redis.call('HMGET', ORDER, authorized, 'payment:' .. ask.payment_intent, 'voided:' .. ask.payment_intent)
if known[1] and ask.capture_before > 0 then
  redis.call('HSET', ORDER, 'capture_before:' .. ask.payment_intent, int(ask.capture_before))
end
if known[1] or known[2] or known[3] then
  keep_email()
  return answer('already', state)
end
local owner = redis.call('HGET', PAYMENTS, ask.payment_intent)
if owner and owner ~= ask.order then return answer('other_order', owner) end
local lines = its_own(cjson.decode(fields[2]))
local at = units_at(lines)
if has_to_wait(at) then return answer('later', state) end
redis.call('HSET', ORDER, authorized, int(ask.amount))
if ask.capture_before > 0 then
  redis.call('HSET', ORDER, 'capture_before:' .. ask.payment_intent, int(ask.capture_before))
end
redis.call('HSET', PAYMENTS, ask.payment_intent, ask.order)
keep_email()
note_session(ask.session)
local void = 'void:' .. ask.order .. ':' .. ask.payment_intent
if paid_by or at == 'sold' or money_at_hand(state) then
  redis.call('HSET', ORDER, 'void_reason:' .. ask.payment_intent, 'duplicate')
  schedule(void, now)
  return answer('duplicate', state)
end
redis.call('HSET', ORDER, 'paid_by', ask.payment_intent, 'payment_intent', ask.payment_intent)
keep_parts()
if fields[5] and ask.session ~= '' and fields[5] ~= ask.session then
  schedule('stray:' .. ask.order .. ':' .. fields[5], now)
end
if at == 'none' and not (fields[6] and all_in(AVAILABLE, lines) or all_free(lines)) then
  redis.call('HSET', ORDER, 'void_reason:' .. ask.payment_intent, 'sold_out')
  schedule(void, now)
  set_state('void_due', 'sold_out')
  return answer('oversold')
end
if at == 'held' then
  end_hold(lines)
  move_order(lines, fields[3], 'held', 'sold', 'sell', '')
else
  move_order(lines, fields[3], 'available', 'sold', 'retake', fields[6] and 'restored' or 'paid late')
end
set_state('authorized')
schedule('capture:' .. ask.order .. ':' .. ask.payment_intent, now)
return answer(at == 'held' and 'authorized' or 'retaken')
