/** E-mail and password. */

import { Button, Paper, PasswordInput, Stack, Text, TextInput, Title } from '@mantine/core';
import { useState, type FormEvent } from 'react';
import { ProblemNote } from '../parts/problem-note.tsx';
import { useSignIn } from '../session.ts';

export function SignIn() {
  const signIn = useSignIn();
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');

  const submit = (event: FormEvent) => {
    event.preventDefault();
    signIn.mutate({ email, password });
  };

  return (
    <Paper withBorder p="xl" maw={420} mx="auto" mt="10vh" radius="md">
      <form onSubmit={submit}>
        <Stack>
          <Title order={2}>Sign in</Title>
          <TextInput
            label="E-mail"
            type="email"
            autoComplete="username"
            required
            value={email}
            onChange={(event) => setEmail(event.currentTarget.value)}
          />
          <PasswordInput
            label="Password"
            autoComplete="current-password"
            required
            value={password}
            onChange={(event) => setPassword(event.currentTarget.value)}
          />
          {signIn.error && <ProblemNote error={signIn.error} />}
          <Button type="submit" loading={signIn.isPending}>
            Sign in
          </Button>
          <Text size="sm" c="dimmed">
            On a demo market, open the link that <code>./assay demo</code> printed: it signs you in.
          </Text>
        </Stack>
      </form>
    </Paper>
  );
}
