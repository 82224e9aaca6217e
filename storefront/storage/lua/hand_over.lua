-- Note that units of an order are with their customer: fetched at the counter, or handed to the post.
--
-- Each unit once, and none whose money is wanted back. Several scanners may ask at the same time.
-- KEYS  as in books.lua
-- ASK   order, key (of the form: the same one counts once), units [{sku, quantity}] (none: all that are
--       left), sent (they were handed to the post), who, undo_ms (so long it can be taken back)
-- ANSWER handed_over AT (ms) | already AT (ms; the last units were handed over before) | taken_back AT
--       (this form counted, and was taken back at AT) | too_many SKU LEFT (units) | wanted_back (the
--       money is to go back) | other_way (it is to be sent, or to be fetched) | not_paid STATE
--       | unknown_order
-- E.g.  all of a paid order: handed_over 1764000000000; state fulfilled, two ledger entries sold to sold
local fields = redis.call('HMGET', ORDER, 'state', 'lines', 'way', 'paid_by', 'handover:' .. ask.key, 'handed_at')
local state, paid_by = fields[1], fields[4] or ''
if not state then return answer('unknown_order') end
local before = fields[5] and cjson.decode(fields[5])
if before then
  return answer(before.undone and 'taken_back' or 'handed_over', int(before.undone or before.at))
end
if state == 'fulfilled' then return answer('already', fields[6] or int(now)) end
if state ~= 'paid' then return answer('not_paid', state) end
if ask.sent ~= (fields[3] == 'delivery') then return answer('other_way') end
local own = its_own(cjson.decode(fields[2]))
units_at(own)
if all_handed(own) then return answer('already', fields[6]) end
local owed, wanted, plans = money_left()
if wanted[paid_by] and owed[paid_by] <= wanted[paid_by] then return answer('wanted_back') end
local free, left = {}, {} -- units that are neither with the customer nor to go back
for _, line in ipairs(own) do free[line.sku] = line.quantity - units(ORDER, 'handed:' .. line.sku) end
for _, plan in pairs(plans) do
  local waits = not plan.refund and not plan.given_up and plan.to ~= 'sold'
  for _, line in ipairs(waits and plan.lines or {}) do free[line.sku] = (free[line.sku] or 0) - line.quantity end
end
for _, line in ipairs(own) do
  if free[line.sku] > 0 then left[#left + 1] = { sku = line.sku, quantity = free[line.sku] } end
end
if #left == 0 then return answer('wanted_back') end
local chosen = #ask.units > 0 and ask.units or left
for _, line in ipairs(chosen) do
  assert(line.quantity > 0 and line.quantity % 1 == 0, 'quantity is a whole number above 0')
  local most = math.max(0, free[line.sku] or 0)
  if line.quantity > most then return answer('too_many', line.sku, int(most)) end
  free[line.sku] = most - line.quantity
end
for _, line in ipairs(chosen) do
  redis.call('HINCRBY', ORDER, 'handed:' .. line.sku, int(line.quantity))
  move(line.sku, line.quantity, 'sold', 'sold', 'hand_over', ask.sent and 'sent' or 'fetched', ask.who)
end
redis.call('HSET', ORDER, 'handed_at', int(now), 'handover:' .. ask.key, cjson.encode({ at = now, lines = chosen,
  sent = ask.sent, who = ask.who }))
if all_handed(own) then set_state('fulfilled') end
if ask.sent then schedule('mail:sent:' .. ask.order, now + ask.undo_ms) end
return answer('handed_over', int(now))
