-- For wrk: offers requests at a fixed rate, whatever becomes of those before them, and times the
-- answers, good ones and refusals apart.
--
-- Arguments: requests a second, seconds that do not count, a word of good answers, the body; a "#"
-- in the body becomes the number of the request.
--
-- wrk alone sends on each connection as soon as the last answer is there. Here every connection
-- that becomes free takes the next moment of one timetable, and waits for it.

local ffi = require("ffi")
ffi.cdef [[
  typedef struct { long seconds; long nanoseconds; } moment;
  int clock_gettime(int clock, moment *moment);
]]
local MONOTONIC, DIFFERENT, KEPT = 1, 1024, 65536
local moment = ffi.new("moment")
local threads = {}

local function now() -- microseconds
  ffi.C.clock_gettime(MONOTONIC, moment)
  return tonumber(moment.seconds) * 1e6 + tonumber(moment.nanoseconds) / 1e3
end

function setup(thread)
  threads[#threads + 1] = thread
end

function init(args)
  rate, warm, mark = tonumber(args[1]), tonumber(args[2]) * 1e6, args[3]
  wrk.method = "POST"
  wrk.headers["Content-Type"] = "application/json"
  wrk.headers["X-Request-ID"] = "@"
  heads, tails = {}, {}
  for number = 1, DIFFERENT do
    local text = wrk.format(nil, nil, nil, (args[4]:gsub("#", tostring(number))))
    heads[number], tails[number] = text:match("^(.-)@(.*)$")
  end
  taken, sent, begun, started = 0, 0, nil, {}
  -- How many took so many tenths of a millisecond.
  good, refused, late = {}, {}, {}
  others = 0
end

local function note(histogram, microseconds)
  local tenths = math.floor(microseconds / 100)
  histogram[tenths] = (histogram[tenths] or 0) + 1
end

function delay() -- milliseconds until the next moment of the timetable
  local instant = now()
  begun = begun or instant
  local due = begun + taken * 1e6 / rate
  taken = taken + 1
  return math.max(0, math.ceil((due - instant) / 1000))
end

function request()
  if not begun then return heads[1] .. sent .. tails[1] end -- wrk looks at one before it begins
  local instant = now()
  if instant - begun >= warm then
    note(late, math.max(0, instant - begun - sent * 1e6 / rate))
  end
  sent = sent + 1
  started[sent % KEPT] = instant
  local number = sent % DIFFERENT + 1
  return heads[number] .. sent .. tails[number]
end

function response(status, headers, body)
  local instant = now()
  if instant - begun < warm then return end
  local took = instant - started[tonumber(headers["x-request-id"]) % KEPT]
  if status == 200 and body:find(mark, 1, true) then
    note(good, took)
  elseif status == 503 then
    note(refused, took)
  else
    others = others + 1
  end
end

local function told(histogram)
  local pairs_of = {}
  for tenths, count in pairs(histogram) do
    pairs_of[#pairs_of + 1] = string.format("[%d,%d]", tenths, count)
  end
  return "[" .. table.concat(pairs_of, ",") .. "]"
end

function done(summary)
  local thread, errors = threads[1], summary.errors
  io.write(string.format(
    '\n{"seconds":%f,"good":%s,"refused":%s,"late":%s,"others":%d}\n',
    (summary.duration - thread:get("warm")) / 1e6,
    told(thread:get("good")), told(thread:get("refused")), told(thread:get("late")),
    thread:get("others") + errors.connect + errors.read + errors.write + errors.timeout))
end
