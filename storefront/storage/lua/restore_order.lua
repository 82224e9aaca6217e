-- Write down again an order that was lost, from what Stripe keeps of it.
--
-- It comes back as one that holds its units, as one that ended without them, or as one whose money is
-- back already, which needs no units at any moment. Payments that are to buy it are settled after.
-- KEYS  as in books.lua
-- ASK   order, state (open, released, refunded), reason, created (ms), lines [{sku, quantity,
--       unit_amount, name, slug, image}], basket, currency, amount (minor units), terms (JSON; may be
--       empty), parts (see books.lua; of an order with terms), deadline (ms),
--       grace_ms, expires_at (seconds), sessions [its own first], url, email, payment_intent (of
--       a payment that failed, else empty),
--       payments [{id, amount, reason}] (those that are back, and why the shop sent them), refunds [{id, amount, status, payment_intent,
--       reason}] (of these), plans {KEY: as plan_refund stores it}, gone {SKU: units} (those that went
--       back by such refunds), told [kinds of mails that went out], strays [sessions to end]
-- ANSWER restored | already STATE | short SKU (to be held again, and not there)
-- TTL   hold:ID ends grace_ms after the deadline; its lapse alone moves no stock
-- E.g.  2 of poster-red in a session that is open: restored; available -2, held +2, state open
if redis.call('HEXISTS', ORDER, 'state') == 1 then return answer('already', redis.call('HGET', ORDER, 'state')) end
assert(ask.state == 'open' or ask.state == 'released' or ask.state == 'refunded', 'a state to come back in')
for _, line in ipairs(ask.lines) do
  assert(line.quantity > 0 and line.quantity % 1 == 0, 'quantity is a whole number above 0')
  if ask.state == 'open' and units(AVAILABLE, line.sku) < line.quantity then return answer('short', line.sku) end
end
redis.call('HSET', ORDER, 'id', ask.order, 'created', int(ask.created), 'lines', cjson.encode(ask.lines),
  'basket', ask.basket, 'currency', ask.currency, 'amount', int(ask.amount), 'visitor', '',
  'deadline', int(ask.deadline), 'expires_at', int(ask.expires_at), 'session_version', '1', 'restored', int(now))
if ask.terms ~= '' then redis.call('HSET', ORDER, 'terms', ask.terms) end
keep_parts()
redis.call('ZADD', ORDERS, int(ask.created), ask.order)
for _, session in ipairs(ask.sessions) do note_session(session) end
for _, session in ipairs(ask.strays) do schedule('stray:' .. ask.order .. ':' .. session, now) end
for _, kind in ipairs(ask.told) do redis.call('HSET', ORDER, 'mail:' .. kind, int(now)) end
for _, payment in ipairs(ask.payments) do
  redis.call('HSET', ORDER, 'payment:' .. payment.id, int(payment.amount))
  redis.call('HSET', PAYMENTS, payment.id, ask.order)
  if payment.reason ~= '' then redis.call('HSET', ORDER, 'refund_reason:' .. payment.id, payment.reason) end
end
for _, refund in ipairs(ask.refunds) do
  local row = { amount = refund.amount, status = refund.status, payment_intent = refund.payment_intent, reason = refund.reason }
  redis.call('HSET', ORDER, 'refund:' .. refund.id, cjson.encode(row))
  local told = redis.call('HEXISTS', ORDER, 'mail:refunded:' .. refund.id) == 1
  if not told and row.status ~= 'failed' and row.status ~= 'canceled' then
    schedule('mail:refunded:' .. ask.order .. ':' .. refund.id, now)
  end
  if row.status ~= 'succeeded' then schedule('refund:' .. ask.order .. ':' .. row.payment_intent, now) end
end
for key, plan in pairs(ask.plans) do redis.call('HSET', ORDER, 'plan:' .. key, cjson.encode(plan)) end
for sku, number in pairs(ask.gone) do redis.call('HSET', ORDER, 'gone:' .. sku, int(number)) end
keep_email()
if ask.state == 'refunded' then
  redis.call('HSET', ORDER, 'paid_by', ask.payments[1].id, 'payment_intent', ask.payments[1].id)
elseif ask.payment_intent ~= '' then
  redis.call('HSET', ORDER, 'payment_intent', ask.payment_intent)
end
if ask.state == 'open' then
  redis.call('HSET', ORDER, 'url', ask.url)
  redis.call('HSET', HOLD, 'basket', ask.basket, 'visitor', '', 'deadline', int(ask.deadline), 'session', ask.sessions[1])
  redis.call('PEXPIREAT', HOLD, int(ask.deadline + ask.grace_ms))
  redis.call('ZADD', HOLDS, int(ask.deadline), ask.order)
  for _, line in ipairs(ask.lines) do
    redis.call('ZADD', RETURNS, int(ask.deadline), line.sku .. ':' .. ask.order)
  end
  move_order(ask.lines, ask.basket, 'available', 'held', 'hold', 'restored')
  schedule('expire:' .. ask.order, ask.deadline)
end
if ask.reason == 'declined' and redis.call('HEXISTS', ORDER, 'mail:declined') == 0 then schedule('mail:declined:' .. ask.order, now) end
set_state(ask.state, ask.reason)
return answer('restored')
