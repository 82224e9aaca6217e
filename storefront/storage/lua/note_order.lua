-- Keep what a person wrote about an order, for those who look at it later.
--
-- KEYS  as in books.lua
-- ASK   order, key (of the form: the same one counts once), text, who, most (so many notes an order has)
-- ANSWER noted | already | full | unknown_order
-- E.g.  "rang, comes on Friday" for o1: noted; order:o1 has note:KEY with the text, who and when
if redis.call('HEXISTS', ORDER, 'state') == 0 then return answer('unknown_order') end
if redis.call('HEXISTS', ORDER, 'note:' .. ask.key) == 1 then return answer('already') end
local notes = 0
for _, field in ipairs(redis.call('HKEYS', ORDER)) do
  if string.sub(field, 1, 5) == 'note:' then notes = notes + 1 end
end
if notes >= ask.most then return answer('full') end
redis.call('HSET', ORDER, 'note:' .. ask.key, cjson.encode({ text = ask.text, who = ask.who, at = now }))
return answer('noted')
