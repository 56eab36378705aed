using Microsoft.Extensions.Time.Testing;
using Orchestrator.Backups.Keeping;

namespace Orchestrator.Tests.Backups.Keeping;

public sealed class DiskForecastTests
{
    private const long Gibi = 1L << 30;

    private readonly FakeTimeProvider _time = new();

    [Test]
    public void A_disk_that_loses_some_room_each_night_is_full_when_the_nights_say_so()
    {
        var forecast = new DiskForecast(_time);
        for (var hour = 0; hour < 7 * 24; hour++)
        {
            forecast.Note((100 - (hour / 24)) * Gibi);
            _time.Advance(TimeSpan.FromHours(1));
        }

        Assert.That(forecast.UntilFull()!.Value.TotalDays, Is.EqualTo(109).Within(1), "six gibibytes in seven days, and 94 left");
    }

    [Test]
    public void What_has_begun_just_now_counts_before_what_was_quiet_for_days()
    {
        var forecast = new DiskForecast(_time);
        for (var hour = 0; hour < 48; hour++)
        {
            forecast.Note(100 * Gibi);
            _time.Advance(TimeSpan.FromHours(1));
        }

        for (var minute = 0; minute <= 60; minute++)
        {
            forecast.Note((100 - minute) * Gibi);
            _time.Advance(TimeSpan.FromMinutes(1));
        }

        Assert.That(forecast.UntilFull()!.Value.TotalMinutes, Is.EqualTo(40).Within(1));
    }

    [Test]
    public void Of_a_disk_that_keeps_its_room_or_was_seen_for_minutes_only_nothing_is_said()
    {
        var forecast = new DiskForecast(_time);
        Assert.That(forecast.UntilFull(), Is.Null);
        for (var minute = 0; minute < 9; minute++)
        {
            forecast.Note((50 - minute) * Gibi);
            _time.Advance(TimeSpan.FromMinutes(1));
        }

        Assert.That(forecast.UntilFull(), Is.Null);
        _time.Advance(TimeSpan.FromHours(2));
        forecast.Note(60 * Gibi);
        Assert.That(forecast.UntilFull(), Is.Null, "retention has made room");
    }
}
