-- answer.lua: how every script ends. It is the last that stands in front of one.

-- Every script's last step: what came free is for those in line; tell the open pages, remember the
-- event, answer. One whose order Redis has lost was not heard: it is to come again.
local function answer(...)
  for sku in pairs(changed) do pass_on(sku) end
  if ask.count then redis.call('HINCRBY', METRICS, ask.count .. ':' .. (...), 1) end
  if has_changed then
    local levels = {}
    for sku in pairs(changed) do
      levels[sku] = { available = units(AVAILABLE, sku), held = units(HELD, sku) }
    end
    redis.call('PUBLISH', LIVE, cjson.encode(levels))
  end
  if ask.event and (...) ~= 'unknown_order' then
    redis.call('SET', SEEN, int(now), 'EX', SEEN_SECONDS)
    if ask.order ~= '' and redis.call('HEXISTS', ORDER, 'state') == 1 and redis.call('HLEN', ORDER) < MOST_FIELDS then
      redis.call('HSETNX', ORDER, 'event:' .. ask.event, int(now)) -- for its story
    end
  end
  return { ... }
end

