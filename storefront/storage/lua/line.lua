-- line.lua: who waits for units, and how those that come free are offered. It follows orders.lua.

-- Who waits longest for a SKU, as SKU:number:place.
local function first_in_line(sku, most)
  return redis.call('ZRANGEBYLEX', WAITING, '[' .. sku .. ':', '(' .. sku .. ';', 'LIMIT', 0, int(most))
end

-- Whether units of a SKU are for those in line alone.
local function anyone_waits(sku)
  return first_in_line(sku, 1)[1] ~= nil
end

-- Whether every line's units are on sale to whoever comes.
local function all_free(lines)
  for _, line in ipairs(lines) do
    if anyone_waits(line.sku) then return false end
  end
  return all_in(AVAILABLE, lines)
end

-- The next offers of a SKU, one for each unit; a place for several units gets as many.
local function next_offers(sku, number)
  local found = {}
  for _, member in ipairs(first_in_line(sku, number)) do
    local id = string.match(member, '[^:]+$')
    local place = cjson.decode(redis.call('HGET', PLACES, id))
    for unit = place.offered + 1, #place.orders do
      if #found == number then return found end
      found[#found + 1] = { order = place.orders[unit], id = id, place = place, member = member }
    end
  end
  return found
end

-- What a script answers, before its first write, when units that it is about to free are to be offered
-- to orders whose keys it was not given: line ORDER SKU…, a few more than it needs. Python then asks
-- again with those. A line's units are those that come free; joining are the orders of a place that
-- is about to stand in line. Nil when it can go on.
local function strangers(lines)
  if ask.last then return nil end
  local found, named, missing = { 'line' }, ask.offers or {}, false
  for _, line in ipairs(lines) do
    local number = math.min(units(AVAILABLE, line.sku) + line.quantity, MOST_OFFERS)
    for i, offer in ipairs(number > 0 and next_offers(line.sku, number + 3) or {}) do
      missing = missing or (i <= number and not named[offer.order])
      found[#found + 1] = offer.order
      found[#found + 1] = line.sku
    end
    for _, order in ipairs(number > 0 and line.joining or {}) do
      missing = missing or not named[order]
      found[#found + 1] = order
      found[#found + 1] = line.sku
    end
  end
  return missing and door_stands(DOOR, STOCKED) == 'open' and found or nil
end

-- Hold one available unit as an order in state offered, in whose place ORDER and HOLD stand.
local function hold_offer(offer, line)
  local place, deadline = offer.place, now + ask.offer_ms
  local basket = line.sku .. '=1'
  redis.call('HSET', ORDER, 'id', offer.order, 'created', int(now), 'lines', cjson.encode({ line }),
    'basket', basket, 'currency', ask.currency, 'amount', int(line.unit_amount), 'visitor', '',
    'deadline', int(deadline), 'expires_at', '0', 'session_version', '0', 'place', offer.id,
    'language', place.language or '')
  keep_email()
  redis.call('ZADD', ORDERS, int(now), offer.order)
  set_state('offered')
  redis.call('HSET', HOLD, 'basket', basket, 'visitor', '', 'deadline', int(deadline))
  redis.call('PEXPIREAT', HOLD, int(deadline + ask.grace_ms))
  redis.call('ZADD', HOLDS, int(deadline), offer.order)
  redis.call('ZADD', RETURNS, int(deadline), line.sku .. ':' .. offer.order)
  move_order({ line }, basket, 'available', 'held', 'offer', 'next in line', '')
  schedule('mail:offer:' .. offer.order, now)
  schedule('expire:' .. offer.order, deadline)
end

-- Offer one available unit to the next in line. What Redis had lost of a place may have been offered, and
-- come back from Stripe as the order that it became: that one is not offered again.
local function offer_unit(offer, given)
  local before = { order = ask.order, email = ask.email, key = ORDER, hold = HOLD }
  local place = offer.place
  ask.order, ask.email, ORDER, HOLD = offer.order, place.email, KEYS[given.at], KEYS[given.at + 1]
  if redis.call('HEXISTS', ORDER, 'state') == 0 then hold_offer(offer, given.line) end
  place.offered = place.offered + 1
  if place.offered == #place.orders then
    redis.call('ZREM', WAITING, offer.member)
    place.state = 'offered'
  end
  redis.call('HSET', PLACES, offer.id, cjson.encode(place))
  ask.order, ask.email, ORDER, HOLD = before.order, before.email, before.key, before.hold
end

-- Offer the available units of a SKU to those in line, in their order. What cannot be offered here
-- and now (its keys were not given, it is off the shelf, the books are not whole) is due, and nobody
-- else gets it meanwhile. Whether there is no use in trying again at once. Who has that job in hand
-- looked before this, unless this is the job itself.
local function pass_on(sku, by_job)
  local number = math.min(units(AVAILABLE, sku), MOST_OFFERS)
  if number < 1 or not anyone_waits(sku) then return false end
  local given, later = nil, door_stands(DOOR, STOCKED) ~= 'open'
  for _, offer in ipairs(later and {} or next_offers(sku, number)) do
    given = (ask.offers or {})[offer.order]
    later = given and (not given.line or given.opens_at > now)
    if not given or later then break end
    offer_unit(offer, given)
  end
  if units(AVAILABLE, sku) == 0 or not anyone_waits(sku) then return false end
  local at = later and now + OFFER_AGAIN_MS or now
  if by_job then schedule('offer:' .. sku, at) else schedule_anew('offer:' .. sku, at) end
  return later
end

-- A place is in line no more, and its address is forgotten; of a place that was taken anew since this
-- order was offered to it, nothing changes.
local function end_place(id, state, order)
  local place = cjson.decode(redis.call('HGET', PLACES, id) or 'null')
  local own = order == nil
  for _, one in ipairs(type(place) == 'table' and place.orders or {}) do own = own or one == order end
  if type(place) ~= 'table' or not own then return end
  redis.call('ZREM', WAITING, place.sku .. ':' .. place.number .. ':' .. id)
  redis.call('ZREM', DUE, 'lapse:' .. id, 'mail:waitlist:' .. id)
  place.state, place.email = state, nil
  redis.call('HSET', PLACES, id, cjson.encode(place))
end

