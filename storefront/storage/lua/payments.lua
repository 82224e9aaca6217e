-- payments.lua: what a payment does to its order. It follows line.lua.

-- The order can be paid from now on. With ask.terms more than the goods may be charged, as was offered
-- when the hold was taken. Undecided: our own page asks for the way first, no payment can be made
-- before, and until the deadline there is nothing to look after.
local function begin_payment(deadline)
  local terms = ask.terms
  local undecided = terms and terms.undecided
  redis.call('HSET', ORDER, 'session_version', undecided and '0' or '1')
  if terms then
    redis.call('HSET', ORDER, 'terms', terms.text, 'shipping', int(terms.shipping), 'way', terms.way)
    redis.call('HINCRBY', ORDER, 'amount', int(terms.shipping))
  end
  schedule('ask:' .. ask.order, undecided and deadline or now + ask.ask_ms)
  schedule('expire:' .. ask.order, deadline)
end

-- Whether a payment must wait because Redis may have lost something. Of an order without units: those that
-- are free may be another's. Of one for more than goods: what the payment is made of was known before, so
-- it was not told again; nor was the way that our own page charged for. Stripe is then asked once more.
local function has_to_wait(at)
  local unlike = not ask.parts and units(ORDER, 'amount') ~= ask.amount
  local early = (at == 'none' or unlike) and not ask.in_turn and door_stands(DOOR, STOCKED) ~= 'open'
  local untold = not ask.parts and ask.session == '' and redis.call('HEXISTS', ORDER, 'terms') == 1
    and redis.call('HEXISTS', ORDER, 'authorized:' .. ask.payment_intent) == 0
    and redis.call('HEXISTS', ORDER, 'payment:' .. ask.payment_intent) == 0
  if not early and not untold then return false end
  schedule('ask:' .. ask.order .. (ask.amount > 0 and ':' .. ask.payment_intent or ''), now + LATER_MS)
  ask.event = nil -- it has no outcome yet
  return true
end

-- A payment that buys nothing: what was charged goes back, and who was charged nothing is told so.
local function send_back(why)
  if ask.amount == 0 then
    redis.call('HSET', ORDER, 'voided:' .. ask.payment_intent, '0', 'void_reason:' .. ask.payment_intent, why)
    schedule('mail:voided:' .. ask.order .. ':' .. ask.payment_intent, now)
    return
  end
  redis.call('HSET', ORDER, 'payment:' .. ask.payment_intent, int(ask.amount), 'refund_reason:' .. ask.payment_intent, why)
  schedule('refund:' .. ask.order .. ':' .. ask.payment_intent, now)
end

-- What the total of this payment is made of, and where the goods go: kept with the payment that the
-- order is about. Without ask.parts the order's amount is its goods', as it was held.
local function keep_parts()
  local parts = ask.parts
  if not parts then return end
  redis.call('HSET', ORDER, 'amount', int(parts.total), 'shipping', int(parts.shipping), 'tax', int(parts.tax),
    'discount', int(parts.discount), 'way', parts.way)
  -- An earlier payment that came to nothing may have named somebody.
  if parts.way == 'pickup' then redis.call('HDEL', ORDER, 'recipient') end
  if parts.recipient ~= '' and redis.call('HEXISTS', ORDER, 'erased') == 0 then redis.call('HSET', ORDER, 'recipient', parts.recipient) end
end

