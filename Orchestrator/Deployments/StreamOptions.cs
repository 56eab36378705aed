using Orchestrator.Backups.Postgres;
using Orchestrator.Backups.Redis.Streams;

namespace Orchestrator.Deployments;

/// <summary>How streams are received.</summary>
public sealed record StreamOptions(WalOptions Wal, RedisStreamOptions Redis, TimeProvider Time);
