using System.Text;
using Orchestrator.Backups;

namespace Orchestrator.Tests.Backups.Volumes;

/// <summary>Volumes are read and laid out again exactly, and what has not changed is not copied again.</summary>
public sealed class VolumeSourceTests
{
    [Test]
    public async Task Everything_that_a_file_system_has_comes_back_as_it_was()
    {
        using var bed = new VolumeBed();
        await VolumeBed.ShellAsync(
            bed.Files,
            """
            mkdir -p empty deep/er/est setgid && chmod 2770 setgid && chmod 0500 empty
            printf text > plain && chmod 0640 plain && chown 1000:1001 plain
            : > nothing
            ln -s plain link && ln -s /etc/passwd outside && ln -s missing dangling && chown -h 5:6 link
            ln plain deep/another && ln plain deep/third
            printf 'same content' > one && cp one deep/er/two && chmod 4755 one
            printf x > "$(printf 'new\nline')" && printf y > "$(printf 'not\377utf8')" && printf z > "$(printf 'tab\ttab \\ "quoted"')" && printf w > ./-
            head -c 3000000 /dev/urandom > random
            truncate -s 50M holes && printf middle | dd of=holes bs=1 seek=20000000 conv=notrunc 2>/dev/null
            truncate -s 3M onlyhole
            setfattr -n user.colour -v green plain; setfattr -n user.dir -v 1 deep; setfacl -m u:1234:rwx deep 2>/dev/null
            touch -d '1999-12-31 23:59:58.123456789' plain && touch -h -d '2001-02-03 04:05:06' link && touch -d '1960-01-01' deep/er/est
            true
            """);
        var before = await VolumeBed.DescribeAsync(bed.Files);

        var part = await bed.BackupAsync();
        var restored = await bed.RestoreAsync(part);

        Assert.That(await VolumeBed.DescribeAsync(restored), Is.EqualTo(before));
        Assert.That(long.Parse((await VolumeBed.ShellAsync(restored, "du -k holes")).Split('\t')[0]), Is.LessThan(200), "the holes are holes again");
        Assert.That(part.Facts["mount.0"], Is.EqualTo("/uploads"));
    }

    [Test]
    public async Task Only_what_changed_is_copied_again()
    {
        using var bed = new VolumeBed();
        await VolumeBed.ShellAsync(bed.Files, "mkdir a; for i in $(seq 200); do echo $i > a/$i; done; head -c 5000000 /dev/urandom > large");
        var first = await bed.BackupAsync();
        var again = await bed.BackupAsync();
        await VolumeBed.ShellAsync(bed.Files, "echo changed > a/17; rm a/18; mv a/19 a/renamed; touch a/20; mv large larger; chmod 600 a/21; echo new > new");
        var changed = await bed.BackupAsync();
        var before = await VolumeBed.DescribeAsync(bed.Files);

        await Assert.MultipleAsync(async () =>
        {
            Assert.That(first.Facts["copied /uploads"], Is.GreaterThan("5000000"));
            Assert.That(again.Facts["copied /uploads"], Is.EqualTo("0"));
            Assert.That(again.Objects.Where(item => item.Key.Contains("app/volume-0/")), Is.EqualTo(first.Objects.Where(item => item.Key.Contains("app/volume-0/"))));
            Assert.That(changed.Facts["copied /uploads"], Is.EqualTo("12"), "'changed' and 'new', with their line ends");
            Assert.That(await VolumeBed.DescribeAsync(await bed.RestoreAsync(changed)), Is.EqualTo(before));
        });
    }

    [Test]
    public async Task A_change_that_leaves_size_and_time_as_they_were_is_found()
    {
        using var bed = new VolumeBed();
        await VolumeBed.ShellAsync(bed.Files, "echo before > file; touch -d '2020-01-01' file");
        await bed.BackupAsync();
        await VolumeBed.ShellAsync(bed.Files, "echo BEFORE > file; touch -d '2020-01-01' file");

        var part = await bed.BackupAsync();

        Assert.That(await File.ReadAllTextAsync(Path.Combine(await bed.RestoreAsync(part), "file")), Is.EqualTo("BEFORE\n"));
    }

    [Test]
    public async Task A_clock_that_was_behind_makes_files_be_read_again_rather_than_trusted()
    {
        using var bed = new VolumeBed();
        await VolumeBed.ShellAsync(bed.Files, "echo content > file");
        bed.Time.AdjustTime(TimeProvider.System.GetUtcNow().AddDays(-3));       // the file is from the future
        var part = await bed.BackupAsync();
        var index = Encoding.ASCII.GetString(await bed.Store.ContentAsync(part.Objects[0])).Split('\n');

        Assert.That(index.Single(line => line.Contains("\tfile\t")).Split('\t')[12], Is.EqualTo("0.000000000"));
    }

    [Test]
    public async Task Without_what_the_daemon_keeps_everything_is_copied_and_nothing_is_lost()
    {
        using var bed = new VolumeBed();
        await VolumeBed.ShellAsync(bed.Files, "echo content > file");
        await bed.BackupAsync();
        bed.Forget();

        var part = await bed.BackupAsync();

        Assert.That(part.Facts["copied /uploads"], Is.EqualTo("8"));
        Assert.That(await VolumeBed.DescribeAsync(await bed.RestoreAsync(part)), Is.EqualTo(await VolumeBed.DescribeAsync(bed.Files)));
    }

    [Test]
    public async Task A_pack_that_a_store_has_lost_is_made_again()
    {
        using var bed = new VolumeBed();
        await VolumeBed.ShellAsync(bed.Files, "echo content > file");
        var first = await bed.BackupAsync();
        File.Delete(bed.Store.PathOf(first.Objects[1].Key));

        var part = await bed.BackupAsync();

        Assert.That(await VolumeBed.DescribeAsync(await bed.RestoreAsync(part)), Is.EqualTo(await VolumeBed.DescribeAsync(bed.Files)));
    }

    [Test]
    public async Task Pipes_sockets_and_files_that_vanish_are_told_and_no_failure()
    {
        using var bed = new VolumeBed();
        await VolumeBed.ShellAsync(bed.Files, "mkfifo pipe; echo a > a; head -c 2000000 /dev/zero | tr '\\0' x > b; echo c > c");
        // Told when the walk comes to 'a': c is gone, and b has grown, by the time it comes to them.
        bed.Store.Progress = _ =>
        {
            File.Delete(bed["c"]);
            if (new FileInfo(bed["b"]).Length == 2_000_000) File.AppendAllText(bed["b"], "more");
        };

        var part = await bed.BackupAsync();
        bed.Store.Progress = null;
        var restored = await bed.RestoreAsync(part);

        Assert.Multiple(() =>
        {
            Assert.That(part.Facts["notes /uploads"], Does.Contain("c vanished").And.Contain("pipe is a pipe"));
            Assert.That(Directory.EnumerateFileSystemEntries(restored).Select(Path.GetFileName), Is.EquivalentTo(new[] { "a", "b" }));
        });
    }

    [Test]
    public async Task A_link_that_takes_a_directorys_place_leads_nowhere()
    {
        using var bed = new VolumeBed();
        await VolumeBed.ShellAsync(bed.Files, "mkdir d e; echo harmless > d/file; echo a > a");
        // The application swaps the directory for a link to the host's own files while the backup runs.
        bed.Store.Progress = _ =>
        {
            if (new DirectoryInfo(bed["d"]).LinkTarget is not null) return;
            Directory.Delete(bed["d"], recursive: true);
            File.CreateSymbolicLink(bed["d"], "/etc");
        };

        var part = await bed.BackupAsync();
        bed.Store.Progress = null;
        var restored = await bed.RestoreAsync(part);

        // What is there now is kept as what it is, a link: nothing behind it was read.
        Assert.That((await VolumeBed.ShellAsync(restored, "find . -type f")).Split('\n'), Is.EquivalentTo(new[] { "./a" }));
        Assert.That(new DirectoryInfo(Path.Combine(restored, "d")).LinkTarget, Is.EqualTo("/etc"));
    }

    [Test]
    public async Task An_index_that_leads_out_of_the_volume_is_refused()
    {
        using var bed = new VolumeBed();
        await VolumeBed.ShellAsync(bed.Files, "mkdir d; echo x > d/file");
        var part = await bed.BackupAsync();
        var index = Encoding.ASCII.GetString(await bed.Store.ContentAsync(part.Objects[0])).Replace("\td/file\t", "\td/../../file\t", StringComparison.Ordinal);
        var forged = await bed.Store.NewSet().WriteAsync("app/volume-0.index", async (content, token) => await content.WriteAsync(Encoding.ASCII.GetBytes(index), token), CancellationToken.None);
        var refused = (await Assert.ThrowsAsync<BackupFailedException>(() => bed.RestoreAsync(part with { Objects = [forged, .. part.Objects[1..]] })))!;

        Assert.That(refused.Message, Does.Contain("d/../../file"));
    }

    [Test]
    public async Task Fingerprints_are_those_of_the_restored_copy_and_show_each_change()
    {
        using var bed = new VolumeBed();
        await VolumeBed.ShellAsync(bed.Files, "mkdir photos text; echo 1 > photos/1; echo 2 > text/2; ln -s 1 photos/l");
        var part = await bed.BackupAsync();

        Assert.That(await bed.Source.FingerprintsAsync(bed.Subject, CancellationToken.None), Is.EqualTo(part.Fingerprints));
        Assert.That(part.Fingerprints.Keys, Is.EquivalentTo(new[] { "/uploads", "/uploads/photos", "/uploads/text" }));
        await VolumeBed.ShellAsync(bed.Files, "echo 3 > text/2");
        var changed = await bed.Source.FingerprintsAsync(bed.Subject, CancellationToken.None);
        Assert.That(changed["/uploads/photos"], Is.EqualTo(part.Fingerprints["/uploads/photos"]));
        Assert.That(changed["/uploads/text"], Is.Not.EqualTo(part.Fingerprints["/uploads/text"]));
    }
}
