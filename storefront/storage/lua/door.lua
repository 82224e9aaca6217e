-- door.lua: whether the shop may take holds. It stands in front of every script.
--
-- A Redis that was restarted may have lost what it acknowledged last, and one that took another's
-- place never had it. Each start has its own run id, which only a script can ask for the very server
-- that it runs on; a server that does not tell has the id ''.
local run_id
local function this_run()
  if not run_id then
    local info = redis.pcall('INFO', 'server')
    run_id = type(info) == 'string' and string.match(info, 'run_id:(%x+)') or ''
  end
  return run_id
end

-- How the door stands: 'open', or why it does not.
local function door_stands(door, stocked)
  local kept = redis.call('HMGET', door, 'run', 'rebuild')
  if kept[2] then return 'rebuild' end
  if kept[1] == this_run() then return 'open' end
  if kept[1] or redis.call('EXISTS', stocked) == 1 then return 'restarted' end
  return 'empty'
end

