// Input of javac and java: collections, streams, threads, compression, exceptions.
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import java.util.zip.CRC32;
import java.util.zip.GZIPOutputStream;

public class Words {
    record Entry(String word, long count) {}

    public static void main(String[] args) throws Exception {
        List<String> lines = Files.readAllLines(Path.of("words.txt"));
        Map<String, Long> counts = lines.stream()
            .flatMap(line -> List.of(line.split(" ")).stream())
            .collect(Collectors.groupingBy(word -> word, TreeMap::new, Collectors.counting()));
        counts.entrySet().stream()
            .map(entry -> new Entry(entry.getKey(), entry.getValue()))
            .sorted((a, b) -> a.count() != b.count()
                ? Long.compare(b.count(), a.count())
                : a.word().compareTo(b.word()))
            .limit(5)
            .forEach(entry -> System.out.println(entry.word() + " " + entry.count()));

        ExecutorService pool = Executors.newFixedThreadPool(4);
        List<Future<Long>> sums = new ArrayList<>();
        for (int part = 0; part < 8; part++) {
            int from = part;
            sums.add(pool.submit(() -> {
                CRC32 checksum = new CRC32();
                ByteArrayOutputStream packed = new ByteArrayOutputStream();
                try (GZIPOutputStream gzip = new GZIPOutputStream(packed)) {
                    for (int i = from; i < lines.size(); i += 8) {
                        byte[] bytes = lines.get(i).getBytes(StandardCharsets.UTF_8);
                        checksum.update(bytes);
                        gzip.write(bytes);
                    }
                }
                return checksum.getValue();
            }));
        }
        for (Future<Long> sum : sums) {
            System.out.println(Long.toHexString(sum.get()));
        }
        pool.shutdown();
        try {
            Object nothing = List.of().get(3);
            System.out.println(nothing);
        } catch (IndexOutOfBoundsException expected) {
            System.out.println("out of bounds, as expected");
        }
    }
}
