-- Hold every line's units for one new order, or none.
--
-- KEYS  as in books.lua
-- ASK   order, lines [{sku, quantity, unit_amount, name, slug, image, limit, opens_at (ms, 0: now)}],
--       basket, form (hosted, elements), currency, amount (minor units), terms (see books.lua), visitor,
--       address, visitor_limit, address_limit (0: off), hold_ms, grace_ms, session_seconds (Stripe's session lives at least so long),
--       ask_ms (after so long with no payment page the worker looks), language (of its mails)
-- ANSWER held | already STATE | unknown_sku SKU | over_limit SKU LIMIT | not_open SKU OPENS_AT
--       | visitor_limit ORDER (its oldest hold) | address_limit SECONDS
--       | closed WHY (restarted, rebuild, empty: as in door.lua)
--       | short JSON [{sku, wanted, available, held, returns_at, waited (others are in line for it)}] OVERDUE-ORDER…
-- TTL   hold:ID ends grace_ms after the deadline; its lapse alone moves no stock
-- E.g.  2 of poster-red, 5 available: held; available 3, held +2, state pending
if redis.call('HEXISTS', ORDER, 'state') == 1 then return answer('already', redis.call('HGET', ORDER, 'state')) end
local door = door_stands(DOOR, STOCKED)
if door ~= 'open' then return answer('closed', door) end
for _, line in ipairs(ask.lines) do
  assert(line.quantity > 0 and line.quantity % 1 == 0, 'quantity is a whole number above 0')
  if redis.call('HEXISTS', STOCKED, line.sku) == 0 then return answer('unknown_sku', line.sku) end
  if line.quantity > line.limit then return answer('over_limit', line.sku, int(line.limit)) end
  if line.opens_at > now then return answer('not_open', line.sku, int(line.opens_at)) end
end

local function live(index, who, limit)
  local from, to = '[' .. who .. ':', '(' .. who .. ';'
  if who == '' or limit == 0 or redis.call('ZLEXCOUNT', index, from, to) < limit then return nil end
  return string.match(redis.call('ZRANGEBYLEX', index, from, to, 'LIMIT', 0, 1)[1], '[^:]+$')
end
local oldest = live(VISITORS, ask.visitor, ask.visitor_limit)
if oldest then return answer('visitor_limit', oldest) end
local first = live(ADDRESSES, ask.address, ask.address_limit)
if first then
  local left = tonumber(redis.call('ZSCORE', HOLDS, first) or now) - now
  return answer('address_limit', int(math.max(1, math.ceil(left / 1000))))
end

local short, overdue = {}, { 'short', '' }
for _, line in ipairs(ask.lines) do
  local waited = anyone_waits(line.sku) -- then what comes free is theirs
  local available = waited and 0 or units(AVAILABLE, line.sku)
  if available < line.quantity then
    short[#short + 1] = { sku = line.sku, wanted = line.quantity, available = available, held = units(HELD, line.sku), waited = waited }
  end
end
if #short > 0 then
  local returns = redis.call('ZRANGE', RETURNS, 0, 199, 'WITHSCORES')
  for i = 1, #returns, 2 do
    local sku, order = string.match(returns[i], '^(.*):([^:]+)$')
    for _, shortage in ipairs(short) do
      if shortage.sku == sku then
        shortage.returns_at = shortage.returns_at or (not shortage.waited and tonumber(returns[i + 1]) or nil)
        if tonumber(returns[i + 1]) <= now and #overdue < 12 then overdue[#overdue + 1] = order end
      end
    end
  end
  overdue[2] = cjson.encode(short)
  return answer(unpack(overdue))
end

local deadline = now + ask.hold_ms
local expires_at = math.floor(now / 1000) + math.max(math.ceil(ask.hold_ms / 1000), ask.session_seconds)
redis.call('HSET', ORDER, 'id', ask.order, 'created', int(now), 'lines', cjson.encode(ask.lines),
  'basket', ask.basket, 'form', ask.form, 'currency', ask.currency, 'amount', int(ask.amount), 'visitor', ask.visitor,
  'address', ask.address, 'language', ask.language, 'deadline', int(deadline), 'expires_at', int(expires_at))
redis.call('ZADD', ORDERS, int(now), ask.order)
set_state('pending')
redis.call('HSET', HOLD, 'basket', ask.basket, 'visitor', ask.visitor, 'deadline', int(deadline))
redis.call('PEXPIREAT', HOLD, int(deadline + ask.grace_ms))
redis.call('ZADD', HOLDS, int(deadline), ask.order)
for _, line in ipairs(ask.lines) do
  redis.call('ZADD', RETURNS, int(deadline), line.sku .. ':' .. ask.order)
end
if ask.visitor ~= '' then redis.call('ZADD', VISITORS, 0, ask.visitor .. ':' .. int(now) .. ':' .. ask.order) end
if ask.address ~= '' then redis.call('ZADD', ADDRESSES, 0, ask.address .. ':' .. int(now) .. ':' .. ask.order) end
move_order(ask.lines, ask.basket, 'available', 'held', 'hold', '')
begin_payment(deadline)
return answer('held')
