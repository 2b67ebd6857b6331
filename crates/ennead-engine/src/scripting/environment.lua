-- What scripts see: a fixed set of names, none of which they can change. Called once for each interpreter with the
-- host's functions; returns the environment of scripts, a function that runs one of them, and one that sets KEYS and ARGV.
local host = ...

-- By read-only table: the table it shows.
local shown = setmetatable({}, { __mode = "k" })
local MODIFIED = "Attempt to modify a readonly table"

local function readonly(table)
  local proxy = setmetatable({}, {
    __index = table,
    __newindex = function()
      error(MODIFIED, 2)
    end,
  })
  shown[proxy] = table
  return proxy
end

local names = {
  _VERSION = _VERSION,
  assert = assert,
  collectgarbage = collectgarbage,
  error = error,
  gcinfo = gcinfo,
  getmetatable = getmetatable,
  ipairs = function(table)
    return ipairs(shown[table] or table)
  end,
  next = function(table, key)
    return next(shown[table] or table, key)
  end,
  pairs = function(table)
    return pairs(shown[table] or table)
  end,
  rawequal = rawequal,
  rawget = function(table, key)
    return rawget(shown[table] or table, key)
  end,
  rawset = function(table, key, value)
    if shown[table] then
      error(MODIFIED, 0)
    end
    return rawset(table, key, value)
  end,
  select = select,
  setmetatable = function(table, metatable)
    if shown[table] then
      error(MODIFIED, 0)
    end
    return setmetatable(table, metatable)
  end,
  tonumber = tonumber,
  tostring = tostring,
  type = type,
  unpack = unpack,
  coroutine = readonly(coroutine),
  string = readonly(string),
  table = readonly(table),
}

setmetatable(names, {
  __index = function(_, name)
    error("Script attempted to access nonexistent global variable '" .. tostring(name) .. "'", 2)
  end,
})
local environment = readonly(names)
names._G = environment

-- Chunks that a script makes see what it sees. Only text: bytecode can break the interpreter.
local function compile(text, name)
  if type(text) == "string" and text:byte() == 27 then
    return nil, "precompiled chunks are not allowed"
  end
  local chunk, problem = loadstring(text, name)
  if chunk then
    setfenv(chunk, environment)
  end
  return chunk, problem
end
names.loadstring = compile
function names.load(reader, name)
  local parts = {}
  while true do
    local part = reader()
    if part == nil or part == "" then
      break
    end
    parts[#parts + 1] = part
  end
  return compile(table.concat(parts), name or "=(load)")
end

local numbers = {}
for name, value in pairs(math) do
  numbers[name] = value
end
numbers.random = host.random
numbers.randomseed = host.seed
names.math = readonly(numbers)
names.os = readonly({ clock = host.clock })

for name, library in pairs(host.libraries) do
  names[name] = readonly(library)
end

local function single(field)
  return function(...)
    if select("#", ...) ~= 1 or type((...)) ~= "string" then
      return { err = "ERR wrong number or type of arguments" }
    end
    local text = ...
    if field == "err" and text:byte() == 45 then
      text = text:sub(2)
    end
    return { [field] = text }
  end
end

-- The host adds its functions to this table, those that run commands anew for each script.
local redis = host.redis
redis.error_reply = single("err")
redis.status_reply = single("ok")
redis.replicate_commands = function()
  return true
end
redis.breakpoint = function()
  return false
end
redis.debug = function() end
names.redis = readonly(redis)

-- Errors of the host's functions are made tables where they are caught, as those of Redis are.
local function caught(succeeded, problem, ...)
  if not succeeded and type(problem) == "userdata" then
    problem = host.error_table(problem)
  end
  return succeeded, problem, ...
end
names.pcall = function(...)
  return caught(pcall(...))
end
names.xpcall = function(call, handler)
  return caught(xpcall(call, function(problem)
    if type(problem) == "userdata" then
      problem = host.error_table(problem)
    end
    return handler(problem)
  end))
end

getmetatable("").__metatable = false

local function run(script, ...)
  return xpcall(script, host.trace)
end

local function set_arguments(keys, arguments)
  rawset(names, "KEYS", keys)
  rawset(names, "ARGV", arguments)
end

return environment, run, set_arguments
