import 'reflect-metadata';
import { Body, Controller, Get, Module, Post, Query } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { EventPattern, Payload } from '@nestjs/microservices';
import { IsString } from 'class-validator';
import { Public, Roles } from './access.ts';
import { RawJson } from './http-server.ts';
import { declaredRoutes, UncheckedBody } from './routes-audit.ts';

class Dto {
  @IsString()
  name!: string;
}
class Unchecked {
  name!: string;
}

@Controller('bad')
class BadController {
  @Get('open')
  open(): void {
    /* says nobody */
  }
  @Post('typed')
  @Public()
  typed(@Body() _body: { name: string }): void {
    /* an interface */
  }
  @Post('unchecked')
  @Public()
  unchecked(@Body() _body: Unchecked): void {
    /* a class without rules */
  }
  @Post('part')
  @Public()
  part(@Body('name') _name: string): void {
    /* a part */
  }
  @Get('query')
  @Public()
  query(@Query() _query: object): void {
    /* anything */
  }
  @EventPattern(['b', 'a'])
  first(@Payload() _batch: object): void {
    /* reads */
  }
  @EventPattern('a')
  second(@Payload() _batch: object): void {
    /* reads again */
  }
}

@Roles('admin')
@Controller('good')
class GoodController {
  @Get()
  inherited(): void {
    /* the class says who */
  }
  @Public()
  @Post()
  checked(@Body() _body: Dto, @Query() _query: Dto): void {
    /* checked */
  }
  @Post('any')
  @UncheckedBody('keeps everything')
  any(@Body() _body: object): void {
    /* said so */
  }
  @Post('raw')
  @RawJson({ limitBytes: 5 })
  raw(): void {
    /* bytes */
  }
  helper(): void {
    /* no route */
  }
}

async function declaredBy(controller: new () => object): Promise<ReturnType<typeof declaredRoutes>> {
  @Module({ controllers: [controller] })
  class TestModule {}
  const app = await NestFactory.createApplicationContext(TestModule, { logger: false });
  const declared = declaredRoutes(app);
  await app.close();
  return declared;
}

describe('what controllers declare', () => {
  it('is in order when each route says who may call it and each input is checked', async () => {
    expect(await declaredBy(GoodController)).toEqual({ topics: [], rawLimitBytes: 5, dtos: [Dto], faults: [] });
  });

  it('lists every fault', async () => {
    const { topics, faults } = await declaredBy(BadController);
    expect(topics).toEqual(['a', 'b']);
    expect(faults).toEqual([
      'BadController.open has neither @Roles nor @Public',
      'BadController.typed takes a body without a DTO class (is it imported as a type?)',
      'BadController.unchecked takes a body without a DTO class (is it imported as a type?)',
      'BadController.part takes a body without a DTO class (is it imported as a type?)',
      'BadController.query takes a query without a DTO class (is it imported as a type?)',
      'topic a has more than one handler',
    ]);
  });
});
