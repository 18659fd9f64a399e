-- Input of lua: tables, strings, closures, coroutines, garbage collection.
local counts = {}
for line in io.lines("words.txt") do
  for word in line:gmatch("%w+") do
    counts[word] = (counts[word] or 0) + 1
  end
end
local words = {}
for word in pairs(counts) do
  words[#words + 1] = word
end
table.sort(words, function(a, b)
  if counts[a] ~= counts[b] then
    return counts[a] > counts[b]
  end
  return a < b
end)
for i = 1, 5 do
  print(words[i], counts[words[i]])
end
local producer = coroutine.wrap(function()
  for i = 1, 20000 do
    coroutine.yield({ value = i, text = ("x"):rep(i % 50) })
  end
end)
local length = 0
for item in producer do
  length = length + #item.text
end
collectgarbage()
print(length, #table.concat(words, ","))
