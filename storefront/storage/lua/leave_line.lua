-- Take a place out of the line; what was offered to it already is released apart, by release_hold.
--
-- KEYS  as in books.lua
-- ASK   place, how (left, stopped; lapsed: never confirmed, so nothing of it is kept)
-- ANSWER gone | already STATE | unknown_place
-- E.g.  the first in line: gone; the second is the first, and the address is forgotten
local text = redis.call('HGET', PLACES, ask.place)
if not text then return answer('unknown_place') end
local place = cjson.decode(text)
if ask.how == 'lapsed' then
  if place.state ~= 'unconfirmed' then return answer('already', place.state) end
  end_place(ask.place, 'lapsed')
  redis.call('HDEL', PLACES, ask.place)
  return answer('gone')
end
if place.state ~= 'unconfirmed' and place.state ~= 'waiting' and place.state ~= 'offered' then
  return answer('already', place.state)
end
end_place(ask.place, ask.how)
return answer('gone')
