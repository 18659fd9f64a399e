// Allocates natively, called from code that is interpreted first and compiled later.
import java.util.zip.Deflater;

public class Work {
    static int deflate(int depth) {
        if (depth > 0)
            return deflate(depth - 1) + 1;
        Deflater deflater = new Deflater();
        deflater.setInput(new byte[100]);
        deflater.finish();
        int length = deflater.deflate(new byte[200]);
        deflater.end();
        return length;
    }

    public static void main(String[] arguments) {
        Thread other = new Thread(() -> work());
        other.setDaemon(true);
        other.start();
        work();
    }

    static void work() {
        for (int round = 0; round < 10_000_000; round++)
            deflate(round % 9);
    }
}
