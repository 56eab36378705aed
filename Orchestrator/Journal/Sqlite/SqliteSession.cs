using System.Collections.Immutable;
using Dapper;
using Microsoft.Data.Sqlite;

namespace Orchestrator.Journal.Sqlite;

/// <summary>Statements on one connection; within a write they are one transaction. Not to be kept beyond the call that gave it.</summary>
public sealed class SqliteSession
{
    private readonly SqliteConnection _connection;

    internal SqliteSession(SqliteConnection connection) => _connection = connection;

    /// <returns>The number of rows that were changed.</returns>
    public int Execute(string sql, object? arguments = null) => _connection.Execute(sql, arguments);

    public ImmutableArray<T> Query<T>(string sql, object? arguments = null) => [.. _connection.Query<T>(sql, arguments)];

    /// <returns>Null (or the default) when there is no row.</returns>
    public T? Find<T>(string sql, object? arguments = null) => _connection.QueryFirstOrDefault<T>(sql, arguments);

    public T Scalar<T>(string sql, object? arguments = null) => _connection.QuerySingle<T>(sql, arguments);
}
