using Orchestrator.Backups.Volumes;
using Orchestrator.Tests.Docker;

namespace Orchestrator.Tests.Backups.Volumes;

/// <summary>The script beside the recovery card gives what this program gives, with nothing but the tools of a distribution.</summary>
public sealed class VolumeByHandTests
{
    [Test]
    public async Task A_volume_is_restored_by_a_shell_with_age_zstd_and_tar()
    {
        await Command.EnsureAsync("/usr/bin/age", "age");
        await Command.EnsureAsync("/usr/bin/zstd", "zstd");
        await Command.EnsureAsync("/usr/bin/setfattr", "attr");
        using var bed = new VolumeBed();
        await VolumeBed.ShellAsync(
            bed.Files,
            """
            mkdir -p deep/er empty && chmod 0500 empty
            printf text > plain && chmod 0640 plain && chown 1000:1001 plain && ln plain deep/another && setfattr -n user.colour -v green plain
            : > nothing
            ln -s plain link && ln -s missing dangling
            printf same > one && cp one deep/er/two && chmod 4755 one
            printf x > "$(printf 'new\nline')" && printf y > "$(printf 'not\377utf8')" && printf z > 'with space' && printf w > ./-
            truncate -s 20M holes && printf middle | dd of=holes bs=1 seek=10000000 conv=notrunc 2>/dev/null
            touch -d '1999-12-31 23:59:58.123456789' plain deep
            """);
        var before = await VolumeBed.DescribeAsync(bed.Files);
        var part = await bed.BackupAsync();
        var target = Directory.CreateDirectory(bed.Beside("by-hand")).FullName;
        await File.WriteAllTextAsync(bed.Beside("key"), bed.Store.PrivateKey);
        await File.WriteAllTextAsync(bed.Beside("restore-volume.sh"), VolumeRecovery.Script);

        await Command.RunAsync("sh", bed.Beside("restore-volume.sh"), bed.Store.Root, part.Objects[0].Key, bed.Beside("key"), target);

        Assert.That(await VolumeBed.DescribeAsync(target), Is.EqualTo(before));
    }
}
