-- Makes wrk send its request several times in one write: wrk -s pipe.lua URL -- 16
local batch

init = function(args)
  local requests = {}
  for i = 1, tonumber(args[1]) do
    requests[i] = wrk.format(nil, wrk.path)
  end
  batch = table.concat(requests)
end

request = function()
  return batch
end
