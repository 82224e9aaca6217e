-- Keep an order's units while its money is on the way (a delayed payment method).
--
-- KEYS  as in books.lua
-- ASK   order, session, payment_intent, email, ask_ms (ask Stripe again after so long), event
-- ANSWER processing | already | kept STATE (it stands further on; nothing was changed) | unknown_order
-- TTL   hold:ID loses its TTL: it stands until Stripe says how the payment ended
-- E.g.  an open order: processing; due: ask in an hour, and the mail that says where the money is
local fields = redis.call('HMGET', ORDER, 'state', 'lines')
if not fields[1] then return answer('unknown_order') end
keep_email()
if fields[1] == 'processing' then
  schedule('ask:' .. ask.order, now + ask.ask_ms)
  return answer('already')
end
if fields[1] ~= 'pending' and fields[1] ~= 'open' and fields[1] ~= 'offered' then
  if fields[1] == 'released' then schedule('ask:' .. ask.order, now + ask.ask_ms) end
  return answer('kept', fields[1])
end
note_session(ask.session)
redis.call('HSET', ORDER, 'payment_intent', ask.payment_intent)
redis.call('PERSIST', HOLD)
stop_promising(cjson.decode(fields[2]))
redis.call('ZREM', DUE, 'expire:' .. ask.order)
schedule_anew('ask:' .. ask.order, now + ask.ask_ms)
if redis.call('HEXISTS', ORDER, 'mail:processing') == 0 then schedule('mail:processing:' .. ask.order, now) end
set_state('processing')
return answer('processing')
