-- What scripts see: a fixed set of names, none of which they can change. Called once for each interpreter with the
-- host's functions; returns the environment of scripts, a function that runs one of them, one that runs a library's
-- function, one that hides everything but what libraries may use while they are loaded, and one that calls what may fail.
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

-- A table for which a name that it has not is an error.
local function complete(table)
  return setmetatable(table, {
    __index = function(_, name)
      error("Script attempted to access nonexistent global variable '" .. tostring(name) .. "'", 2)
    end,
  })
end

local function expect(table, name)
  if type(table) ~= "table" then
    error("bad argument #1 to '" .. name .. "' (table expected, got " .. type(table) .. ")", 3)
  end
end

local names = complete({
  _VERSION = _VERSION,
  assert = assert,
  collectgarbage = collectgarbage,
  error = error,
  gcinfo = gcinfo,
  rawequal = rawequal,
  rawget = function(table, key)
    expect(table, "rawget")
    return rawget(shown[table] or table, key)
  end,
  rawset = function(table, key, value)
    expect(table, "rawset")
    if shown[table] then
      error(MODIFIED, 0)
    end
    return rawset(table, key, value)
  end,
  select = select,
  setmetatable = function(table, metatable)
    expect(table, "setmetatable")
    if shown[table] then
      error(MODIFIED, 0)
    end
    return setmetatable(table, metatable)
  end,
  tonumber = tonumber,
  tostring = tostring,
  type = type,
  unpack = unpack,
  string = readonly(string),
  table = readonly(table),
})
local environment = readonly(names)
names._G = environment

-- That of a read-only table would lead to what it shows, and in Redis only the environment has one.
function names.getmetatable(table)
  if table == environment then
    return readonly({ __index = table })
  end
  return not shown[table] and getmetatable(table) or nil
end

-- What is behind a read-only table is not given away, not even to a loop.
function names.next(table, key)
  expect(table, "next")
  return next(shown[table] or table, key)
end
function names.pairs(table)
  expect(table, "pairs")
  if shown[table] then
    return names.next, table, nil
  end
  return pairs(table)
end
local function shown_item(table, index)
  local item = rawget(shown[table], index + 1)
  if item ~= nil then
    return index + 1, item
  end
end
function names.ipairs(table)
  expect(table, "ipairs")
  if shown[table] then
    return shown_item, table, 0
  end
  return ipairs(table)
end

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
    if field == "err" then
      if text:byte() == 45 then
        text = text:sub(2)
      end
      -- A word alone is no code.
      if not text:find(" ", 1, true) then
        text = "ERR " .. text
      end
    end
    return { [field] = text }
  end
end

-- The host has put its functions into this table.
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

local loading_names = complete({ redis = readonly(complete(host.loading)) })
local function set_loading(loading)
  local visible = loading and loading_names or names
  shown[environment] = visible
  getmetatable(environment).__index = visible
end

-- Errors of the host's functions are made tables or texts where they are caught, as those of Redis are.
local function caught(succeeded, problem, ...)
  if not succeeded and type(problem) == "userdata" then
    problem = host.error_value(problem)
  end
  return succeeded, problem, ...
end
-- Of a table with a text the text is caught.
local function text_caught(succeeded, problem, ...)
  if not succeeded and type(problem) == "table" then
    local text = problem.err
    if type(text) == "string" or type(text) == "number" then
      problem = text
    end
  end
  return succeeded, problem, ...
end
names.pcall = function(...)
  return text_caught(caught(pcall(...)))
end
names.xpcall = function(call, handler)
  return caught(xpcall(call, function(problem)
    if type(problem) == "userdata" then
      problem = host.error_value(problem)
    end
    return handler(problem)
  end))
end

local threads = {}
for name, call in pairs(coroutine) do
  threads[name] = call
end
threads.resume = function(...)
  return caught(coroutine.resume(...))
end
local function passed(succeeded, ...)
  if not succeeded then
    error((...), 3)
  end
  return ...
end
threads.wrap = function(call)
  local thread = coroutine.create(call)
  return function(...)
    return passed(caught(coroutine.resume(thread, ...)))
  end
end
names.coroutine = readonly(threads)

getmetatable("").__metatable = false

local trace = host.trace
local function run_script(script, keys, arguments)
  names.KEYS, names.ARGV = keys, arguments
  -- On one line: one that is killed does not get to the next.
  return xpcall(script, trace)
end

local function run_function(entry, keys, arguments)
  local function apply()
    return entry(keys, arguments)
  end
  return xpcall(apply, trace)
end

local function protect(call)
  return caught(pcall(call))
end

return environment, run_script, run_function, set_loading, protect
