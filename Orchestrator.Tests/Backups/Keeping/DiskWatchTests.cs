using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Orchestrator.Backups.Postgres;
using Orchestrator.Backups.Redis.Streams;
using Orchestrator.Backups.Sets;
using Orchestrator.Backups.Stores;
using Orchestrator.Deployments;
using Orchestrator.Scheduling;
using Orchestrator.Tests.Backups.Encryption;

namespace Orchestrator.Tests.Backups.Keeping;

/// <summary>A small disk of its own is really filled; only the hours pass by themselves.</summary>
public sealed class DiskWatchTests
{
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UnixEpoch.AddYears(56));
    private readonly List<BackupAlert> _alerts = [];
    private string _disk = "";
    private string _elsewhere = "";
    private DiskWatch _watch = null!;

    [SetUp]
    public async Task MountAsync()
    {
        _alerts.Clear();
        _disk = Directory.CreateTempSubdirectory("basmalin-disk-").FullName;
        _elsewhere = Directory.CreateTempSubdirectory("basmalin-here-").FullName;
        Assert.That((await Command.RunAsync("mount", ["-t", "tmpfs", "-o", "size=64m,mode=700", "tmpfs", _disk])).Code, Is.Zero);
        var vault = new BackupVault(new() { Stores = [new DirectoryStore("near", _disk, _time)], Recipients = [] }, _time, NullLoggerFactory.Instance);
        var alerts = new BackupAlerts(_time, NullLogger<BackupAlerts>.Instance);
        alerts.Raised += _alerts.Add;
        _watch = new DiskWatch(vault, new StreamOptions(new WalOptions { Directory = _elsewhere }, new RedisStreamOptions { Directory = _elsewhere }, _time), alerts, _time, NullLogger<DiskWatch>.Instance);
    }

    [TearDown]
    public async Task UnmountAsync()
    {
        await Command.RunAsync("umount", [_disk]);
        Directory.Delete(_disk, recursive: true);
        Directory.Delete(_elsewhere, recursive: true);
    }

    [Test]
    public void A_store_that_will_be_full_within_a_day_is_told_of_once_and_again_after_it_had_room()
    {
        // 1 MiB each ten minutes: 60 are gone after ten hours.
        for (var part = 0; part < 30 && _alerts.Count == 0; part++) Fill(part);
        var (first, after) = (_alerts.Single(), Directory.GetFiles(_disk).Length);
        for (var part = 30; part < 40; part++) Fill(part);

        Assert.Multiple(() =>
        {
            Assert.That((first.Event, first.Subject), Is.EqualTo(("disk.filling", "near")));
            Assert.That(first.Problem, Does.Match($"At the present rate {_disk} is full in \\d+\\.\\d hours; \\d+ MiB are free"));
            Assert.That(first.Hint, Does.Contain("basmalin backup prune"));
            Assert.That(after, Is.InRange(7, 12), "not for one large set, that looks for an hour as if it went on like that");
            Assert.That(_alerts, Has.Count.EqualTo(1), "it is said once");
        });

        foreach (var file in Directory.GetFiles(_disk)) File.Delete(file);
        Wait(hours: 30);
        for (var part = 0; part < 30; part++) Fill(part);

        Assert.That(_alerts.Select(alert => alert.Subject), Is.EqualTo(new[] { "near", "near" }));
    }

    [Test]
    public void One_large_set_on_a_disk_that_keeps_its_room_afterwards_is_no_news()
    {
        Wait(hours: 3);
        for (var part = 0; part < 3; part++) Fill(part);
        Wait(hours: 30);

        Assert.That(_alerts, Is.Empty);
    }

    private void Fill(int part)
    {
        File.WriteAllBytes(Path.Combine(_disk, $"part-{part}"), new byte[1 << 20]);
        _time.Advance(TimeSpan.FromMinutes(10));
        _watch.Look();
    }

    private void Wait(int hours)
    {
        for (var look = 0; look < hours * 6; look++)
        {
            _time.Advance(TimeSpan.FromMinutes(10));
            _watch.Look();
        }
    }
}
