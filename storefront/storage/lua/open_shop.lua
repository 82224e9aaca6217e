-- Open the shop, whose books were found whole on this very server.
--
-- KEYS  as in books.lua
-- ASK   run (the server's id when the books were first looked at), rebuilt (whether lost books were
--       brought back)
-- ANSWER opened | restarted: this is another server than that | rebuild: the books were lost
-- E.g.  reconciled on the server 7c1f…, which still runs: opened
if ask.run ~= this_run() then return answer('restarted') end
if not ask.rebuilt and redis.call('HEXISTS', DOOR, 'rebuild') == 1 then return answer('rebuild') end
redis.call('DEL', DOOR)
redis.call('HSET', DOOR, 'run', ask.run)
return answer('opened')
