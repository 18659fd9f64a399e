# Input of ruby: hashes, blocks, strings, symbols, fibers, threads, big numbers.
text = File.read("words.txt")
counts = text.scan(/\w+/).tally
top = counts.sort_by { |word, count| [-count, word] }.first(5)
top.each { |word, count| puts "#{word} #{count}" }

fibonacci = Fiber.new do
  a, b = 0, 1
  loop { Fiber.yield a; a, b = b, a + b }
end
puts 300.times.map { fibonacci.resume }.last

sums = 4.times.map do |part|
  Thread.new { (0...20_000).select { |n| n % 4 == part }.map { |n| n.to_s.reverse.to_i }.sum }
end
puts sums.map(&:value).inspect
Point = Struct.new(:x, :y)
points = Array.new(50_000) { |n| Point.new(n, n * n % 101) }
puts points.group_by(&:y).map { |y, group| [y, group.size] }.max_by { |y, size| [size, y] }.inspect
GC.start
puts (1..200).inject(:*).to_s.length
