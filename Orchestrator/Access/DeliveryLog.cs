using Orchestrator.Journal.Sqlite;

namespace Orchestrator.Access;

/// <summary>Webhook deliveries that were taken: the same one twice is one.</summary>
public sealed class DeliveryLog(SqliteDatabase database)
{
    /// <summary>How long a delivery is remembered.</summary>
    public static readonly TimeSpan Kept = TimeSpan.FromDays(30);

    /// <returns>False when the delivery had been seen.</returns>
    public Task<bool> TryAddAsync(string stack, string deliveryId, DateTimeOffset at, CancellationToken cancellationToken) => database.WriteAsync(session =>
    {
        session.Execute("DELETE FROM deliveries WHERE at < @Oldest", new { Oldest = Timestamp.Write(at - Kept) });
        return session.Execute(
            "INSERT INTO deliveries (stack, id, at) VALUES (@Stack, @Id, @At) ON CONFLICT DO NOTHING",
            new { Stack = stack, Id = deliveryId, At = Timestamp.Write(at) }) == 1;
    }, cancellationToken);

    public Task<bool> ContainsAsync(string stack, string deliveryId, CancellationToken cancellationToken) => database.ReadAsync(
        session => session.Scalar<long>("SELECT EXISTS (SELECT 1 FROM deliveries WHERE stack = @Stack AND id = @Id)", new { Stack = stack, Id = deliveryId }) != 0,
        cancellationToken);

    /// <summary>Forgets a delivery that could not be acted on, so that the sender may try again.</summary>
    public Task RemoveAsync(string stack, string deliveryId, CancellationToken cancellationToken) => database.WriteAsync(
        session => session.Execute("DELETE FROM deliveries WHERE stack = @Stack AND id = @Id", new { Stack = stack, Id = deliveryId }), cancellationToken);
}
